/**
 * The functions of `node:fs` that write, failing from the nth call on: `once` is a disk that refuses one step, `dead` one that takes nothing
 * any more, so that what is left is exactly what a SIGKILL before that step leaves; `kill` is that SIGKILL.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

export type Fault = 'once' | 'dead' | 'kill';

const STEPS = ['mkdirSync', 'openSync', 'writeFileSync', 'fsyncSync', 'renameSync', 'rmSync'] as const;

/** @param nth from 1. @returns how to mend the disk. */
export function breakDisk(fault: Fault, nth: number): () => void {
  const functions = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  const whole = STEPS.map(name => [name, functions[name] as (...args: unknown[]) => unknown] as const);
  let calls = 0;
  for (const [name, step] of whole) {
    functions[name] = (...args) => {
      // opened for reading, by readFileSync too
      if (name === 'openSync' && !String(args[1] ?? 'r').startsWith('w')) return step(...args);
      calls++;
      if (fault === 'once' ? calls !== nth : calls < nth) return step(...args);
      if (fault === 'kill') process.kill(process.pid, 'SIGKILL');
      throw Object.assign(new Error('a disk that refuses'), { code: 'EIO' });
    };
  }
  syncBuiltinESMExports();
  return () => {
    for (const [name, step] of whole) functions[name] = step;
    syncBuiltinESMExports();
  };
}
