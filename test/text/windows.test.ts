/** If this fails, part of a long note would be read by no window, or judged where the model sees too little around it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { TokenWindow } from '../../src/core/tokens.ts';
import { Stitcher } from '../../src/text/stitch.ts';
import { ownedRange, planWindows } from '../../src/text/windows.ts';

const plans = fc
  .record({ count: fc.nat(400), size: fc.integer({ min: 2, max: 60 }), overlap: fc.nat(30) })
  .filter(({ size, overlap }) => overlap < size);

/** Distance of a token to the nearer edge of a window; an edge of the text itself is no edge. */
function context({ start, end }: TokenWindow, token: number, count: number): number {
  const left = start === 0 ? Number.POSITIVE_INFINITY : token - start;
  const right = end === count ? Number.POSITIVE_INFINITY : end - 1 - token;
  return Math.min(left, right);
}

describe('windows', () => {
  it('own every token exactly once, each where it has most context', () => {
    fc.assert(
      fc.property(plans, ({ count, size, overlap }) => {
        const windows = planWindows(count, { size, overlap });
        let next = 0;
        windows.forEach((window, i) => {
          assert.ok(window.end - window.start <= size);
          const owned = ownedRange(windows, i);
          assert.equal(owned.start, next);
          next = owned.end;
          for (let token = owned.start; token < owned.end; token++) {
            const best = Math.max(
              ...windows
                .filter(each => token >= each.start && token < each.end)
                .map(each => context(each, token, count)),
            );
            assert.equal(context(window, token, count), best, `token ${token} of ${count}`);
          }
        });
        assert.equal(next, count);
      }),
    );
  });

  it('are full-length and share their overlap as soon as there is more than one', () => {
    fc.assert(
      fc.property(plans, ({ count, size, overlap }) => {
        const windows = planWindows(count, { size, overlap });
        if (windows.length < 2) return;
        windows.forEach(({ start, end }, i) => {
          assert.equal(end - start, size);
          if (i > 0) assert.ok((windows[i - 1] as TokenWindow).end - start >= overlap);
        });
      }),
    );
  });

  it('are none for an empty note, and refuse an overlap that never advances', () => {
    assert.deepEqual(planWindows(0, { size: 10, overlap: 2 }), []);
    assert.throws(() => planWindows(5, { size: 4, overlap: 4 }), RangeError);
  });

  it('stitch to the row of the owner, whatever order they come in', () => {
    fc.assert(
      fc.property(plans, fc.integer({ min: 1, max: 3 }), fc.nat(3), (plan, heads, pad) => {
        const windows = planWindows(plan.count, plan);
        const stitcher = new Stitcher(windows, plan.count, heads);
        // a window's row says which window and token it comes from
        for (const i of windows.keys().toArray().reverse()) {
          const { start, end } = windows[i] as TokenWindow;
          const source = new Float32Array((pad + end - start) * heads);
          for (let token = start; token < end; token++)
            source.fill(i * 1000 + token, (pad + token - start) * heads, (pad + token - start + 1) * heads);
          stitcher.add(i, source, pad);
        }
        windows.forEach((_, i) => {
          const owned = ownedRange(windows, i);
          for (let token = owned.start; token < owned.end; token++) {
            for (let head = 0; head < heads; head++)
              assert.equal(stitcher.logits[token * heads + head], i * 1000 + token);
          }
        });
      }),
    );
  });
});
