/** The real program, of this checkout or of another, in a process of its own and with nothing of our environment's settings. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

/** Of the checkout that this file belongs to. */
export const ROOT = resolve(import.meta.dirname, '../../..');

export interface Program {
  readonly pid: number | undefined;
  /** Resolves when it says that its role is ready; never, if it does not. */
  readonly ready: Promise<void>;
  /** Its exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** What it said last on standard error: the line that names its failure, where one does. */
  lastWords(): string;
  kill(signal: NodeJS.Signals): void;
}

const KEPT_LINES = 40;
/** As `explain` begins, as commander does, and as Node does under the code that threw. */
const NAMES_A_FAILURE = /^(clinstream: |error: |\w*Error\b)/;

/**
 * @param options.root the checkout whose program it is. @param options.env beside the environment that is kept.
 * @param options.cores that it may use, such as "0,2-3".
 */
export function startProgram(
  args: readonly string[],
  { root = ROOT, env = {}, cores }: { root?: string; env?: Record<string, string>; cores?: string | undefined },
): Program {
  // nothing of the environment may differ from what the configuration says
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('CLINSTREAM_'));
  const command = [process.execPath, join(root, 'src/main.ts'), ...args];
  const [first = '', ...rest] = cores === undefined ? command : ['taskset', '--cpu-list', cores, ...command];
  const child = spawn(first, rest, {
    env: { ...Object.fromEntries(kept), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  const ready = Promise.withResolvers<void>();
  const lines: string[] = [];
  createInterface(child.stderr).on('line', line => {
    if (line.includes('"state":"ready"')) ready.resolve();
    if (line.trim() !== '') lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
  });
  return {
    pid: child.pid,
    ready: ready.promise,
    ended,
    lastWords: () => lines.findLast(line => NAMES_A_FAILURE.test(line)) ?? lines.at(-1) ?? '',
    kill: signal => void child.kill(signal),
  };
}
