/** Which version of the code measured something, and on what. */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';

/** The commit of the working tree, with `-dirty` when files differ from it; `unknown` outside a checkout. */
export function currentCommit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--exclude', '*'], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}

/** Its cores and their kind, and the runtime. */
export function thisMachine(): string {
  return `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}`;
}
