/** Programs that a command under test has started, by their command lines. Reads /proc, so Linux only. */
import { readdirSync, readFileSync } from 'node:fs';

/** Those of our main program whose command line contains a text. @returns their process ids. */
export function programsWith(text: string): string[] {
  return readdirSync('/proc').filter(pid => {
    const command = /^\d+$/.test(pid) ? commandOf(pid) : '';
    return command.includes('main.ts') && command.includes(text);
  });
}

/** Empty when it ended meanwhile. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
