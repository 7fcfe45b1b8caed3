/**
 * A note longer than the model's window is read in overlapping windows, and each token is scored by the window in which it
 * has most context. Nothing is ever cut off: every token has exactly one owner.
 */
import type { TokenWindow } from '../core/tokens.ts';

/**
 * Windows of at most `size` tokens (without special tokens) that cover `count` tokens, neighbours sharing at least `overlap`.
 * The last one is moved back to full length, so that no window is short of context. No tokens, no windows.
 */
export function planWindows(count: number, { size, overlap }: { size: number; overlap: number }): TokenWindow[] {
  if (!(size > overlap && overlap >= 0))
    throw new RangeError(`window ${size} must be longer than its overlap ${overlap}`);
  if (count === 0) return [];
  const windows: TokenWindow[] = [];
  for (let start = 0; ; start += size - overlap) {
    if (start + size >= count) {
      windows.push({ start: Math.max(0, count - size), end: count });
      return windows;
    }
    windows.push({ start, end: start + size });
  }
}

/**
 * The tokens that window `i` decides. The context of a token in a window is its distance to the nearer edge, where an edge of
 * the text itself does not count; between two neighbours that changes hands in the middle of their overlap.
 */
export function ownedRange(windows: readonly TokenWindow[], i: number): TokenWindow {
  const window = windows[i] as TokenWindow;
  const before = windows[i - 1];
  const after = windows[i + 1];
  return {
    start: before === undefined ? window.start : middle(before, window),
    end: after === undefined ? window.end : middle(window, after),
  };
}

/** The first token of the overlap that has more context in the later window; ties stay with the earlier one. */
function middle(earlier: TokenWindow, later: TokenWindow): number {
  return Math.ceil((later.start + earlier.end) / 2);
}
