/** Which version of the code measured something. */
import { execFileSync } from 'node:child_process';

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
