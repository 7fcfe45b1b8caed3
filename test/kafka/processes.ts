/** What other processes are and do: on Linux without `ps`, which slim images lack. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const PROC = existsSync('/proc/self/cmdline');

/** Empty for a process that is gone, and on Linux for one that only waits to be reaped. */
export function commandLine(pid: number): string {
  if (!PROC) return ps('args', '-p', String(pid));
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** Of every process. */
export function commandLines(): string[] {
  if (!PROC) return ps('args', '-A').split('\n');
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(name => commandLine(Number(name)));
}

/** Nothing happens when the process is gone already. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Whether SIGSTOP has reached all of it: the threads of a busy process go on for a moment after the signal was sent. */
export function isStopped(pid: number): boolean {
  if (!PROC) return ps('stat', '-p', String(pid)).startsWith('T');
  const threads = `/proc/${pid}/task`;
  try {
    return readdirSync(threads).every(each => /\) T [^)]*$/.test(readFileSync(`${threads}/${each}/stat`, 'utf8')));
  } catch {
    return false; // a thread ended between the two looks
  }
}

function ps(what: 'args' | 'stat', ...which: readonly string[]): string {
  const options = { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const;
  return spawnSync('ps', ['-ww', '-o', `${what}=`, ...which], options).stdout ?? '';
}
