/** A rival's script: a process of its own, which says what it found in each note and how long that took it. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { RivalError } from './rival-error.ts';

/** What one contender found in one turn, and how fast. */
export interface Turn {
  /** Of the work alone: start-up, loading and warm-up come before. */
  readonly seconds: number;
  /** By note: `task start end` of each span, in code points. */
  readonly spans: ReadonlyMap<string, readonly string[]>;
  readonly versions: Readonly<Record<string, string>>;
}

const span = z.tuple([z.string(), z.int(), z.int()]);
const row = z.union([
  z.strictObject({ id: z.string(), spans: z.array(span) }),
  z.strictObject({ seconds: z.number().positive(), versions: z.record(z.string(), z.string()) }),
]);

/**
 * @param interrupted ends it; whatever comes of it, it has ended when this settles. @param env beside the environment.
 * @throws RivalError RIVAL_FAILED, AbortError
 */
export async function runScript(
  command: string,
  args: readonly string[],
  interrupted: AbortSignal,
  env: Readonly<Record<string, string>> = {},
): Promise<Turn> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    signal: interrupted,
    env: { ...process.env, ...env },
  });
  const closed = new Promise<void>(done => child.once('close', () => done()));
  const ended = new Promise<number | null>((done, fail) => child.once('error', fail).once('close', done));
  ended.catch(() => {}); // awaited below
  const spans = new Map<string, readonly string[]>();
  let last: Pick<Turn, 'seconds' | 'versions'> | undefined;
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const said = row.safeParse(jsonOf(line));
      // a last line may be cut short
      if (!said.success) interrupted.throwIfAborted();
      if (!said.success) throw failed(args, 'said something else than spans');
      if ('id' in said.data) spans.set(said.data.id, said.data.spans.map(spanName));
      else last = said.data;
    }
    const code = await ended;
    if (code !== 0) throw failed(args, `ended with exit code ${code}: see its messages above`);
  } finally {
    // a second signal would insist, and what it cleans up would stay
    if (!child.killed) child.kill();
    await closed;
  }
  if (last === undefined) throw failed(args, 'did not say how long it took');
  return { ...last, spans };
}

/** Undefined for what is none: the line itself is told to nobody. */
function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

export function spanName([task, start, end]: readonly [string, number, number]): string {
  return `${task} ${start} ${end}`;
}

function failed([script]: readonly string[], what: string): RivalError {
  return new RivalError('RIVAL_FAILED', `${script} ${what}`);
}
