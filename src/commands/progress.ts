/** Progress of long work on stderr: a bar on a terminal, a line now and then otherwise, nothing when quiet. */

export interface Progress {
  /** @param done of `total` units; call as often as you like. */
  update(done: number, total?: number): void;
  /** Ends the bar; the terminal's line is free again. */
  end(): void;
}

export interface ProgressOptions {
  readonly label: string;
  readonly unit: string;
  readonly total?: number;
  readonly quiet: boolean;
  readonly stream: NodeJS.WriteStream;
  readonly now: () => number;
}

const BAR_MS = 100;
const LINE_MS = 10_000;
const WIDTH = 28;

export function createProgress(options: ProgressOptions): Progress {
  if (options.quiet) return { update: () => {}, end: () => {} };
  const { stream, label, unit, now } = options;
  const bar = stream.isTTY === true;
  const began = now();
  let shown = bar ? 0 : began;
  let total = options.total;
  let done = 0;

  const show = (): void => {
    const rate = done / Math.max(1e-3, (now() - began) / 1000);
    const figures = `${done}${total === undefined ? '' : `/${total}`} ${unit}, ${rate.toFixed(1)} ${unit}/s`;
    if (!bar) {
      stream.write(`${label}: ${figures}\n`);
      return;
    }
    const filled = total === undefined || total === 0 ? 0 : Math.min(WIDTH, Math.round((WIDTH * done) / total));
    const drawn = total === undefined ? '' : `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} `;
    stream.write(`\r\u001b[K${label} ${drawn}${figures}`);
  };

  return {
    update(newDone, newTotal) {
      done = newDone;
      total = newTotal ?? total;
      if (now() - shown < (bar ? BAR_MS : LINE_MS)) return;
      shown = now();
      show();
    },
    end() {
      if (done > 0) show();
      if (bar) stream.write('\n');
    },
  };
}
