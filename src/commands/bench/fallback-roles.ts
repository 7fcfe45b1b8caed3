/**
 * The programs that `bench fallback` runs, each a process of its own as in production: the emulated providers, the tagger, the
 * escalator. None outlives the bench: whoever started them ends them, and the emulators also end with their standard input.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { KEY_FROM } from '../demo-fallback-settings.ts';
import type { Role } from '../run.ts';
import { cpuSecondsOf, residentBytesOf } from './process-use.ts';
import { ROOT, startProgram } from './program.ts';

const EMULATORS = join(ROOT, 'test/emulators/main.ts');
const DEMO = join(ROOT, 'test/data/demo');
/** The emulators take no other; it opens nothing. */
const KEY = 'simulated';

export interface Emulators {
  /** Base of OpenAI's protocol. */
  readonly openaiUrl: string;
  /** How many requests it has had, faults included. */
  requests(): Promise<number>;
  stop(): Promise<void>;
}

/** Providers that know the demo notes' labels; from a checkout only, since they are no part of the program. */
export async function startEmulators({ hangs }: { hangs: boolean }): Promise<Emulators> {
  const files = ['--notes', join(DEMO, 'notes.jsonl'), '--labels', join(DEMO, 'labels.jsonl')];
  const child = spawn(process.execPath, [EMULATORS, ...files, '--openai-key', KEY], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), failed(child)])) as [string];
  const { openaiUrl, openaiControl } = JSON.parse(line) as { openaiUrl: string; openaiControl: string };
  const plan = JSON.stringify(hangs ? { rates: { hang: 1 } } : {});
  await fetch(`${openaiControl}/__faults`, { method: 'POST', body: plan });
  return {
    openaiUrl,
    requests: async () => {
      const asked = (await (await fetch(`${openaiControl}/__asked`)).json()) as { requests: number };
      return asked.requests;
    },
    stop: async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

export interface RoleProcess {
  /** Resolves when it has ended well. @throws Error when it has not. */
  readonly done: Promise<void>;
  /** Used so far, by all its threads. NaN where there is no /proc, and after it ended. */
  cpuSeconds(): number;
  /** NaN where there is no /proc, and after it ended. */
  residentBytes(): number;
  /** SIGTERM, as a supervisor would. */
  stop(): Promise<void>;
}

/** Starts `run`, and resolves once it says that it is ready. @param cores that it may use, such as "0,2-3". @throws Error with its last line, when it ends before. */
export async function startRole(
  role: Role,
  config: string,
  { cores }: { cores?: string | undefined } = {},
): Promise<RoleProcess> {
  const command = ['run', '--role', role, '--quiet', '--config', config];
  const program = startProgram(command, { env: { [KEY_FROM]: KEY }, cores });
  const done = program.ended.then(code => {
    if (code !== 0) throw new Error(`the ${role} ended with ${code}: ${program.lastWords()}`);
  });
  done.catch(() => {}); // whoever waits for it hears of it
  await Promise.race([program.ready, done]);
  return {
    done,
    cpuSeconds: () => cpuSecondsOf(program.pid),
    residentBytes: () => residentBytesOf(program.pid),
    stop: async () => {
      program.kill('SIGTERM');
      await program.ended;
    },
  };
}

async function failed(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`the emulators ended with ${code}: ${EMULATORS} needs a checkout of the whole repository`);
}
