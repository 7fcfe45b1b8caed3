/**
 * The programs that `bench fallback` runs, each a process of its own as in production: the emulated providers, the tagger, the
 * escalator. None outlives the bench: whoever started them ends them.
 */
import { join } from 'node:path';
import { type DemoEmulator, startEmulator } from '../demo-emulator.ts';
import { KEY_FROM } from '../demo-fallback-settings.ts';
import type { Role } from '../run.ts';
import { BenchError } from './bench-error.ts';
import { cpuSecondsOf, residentBytesOf } from './process-use.ts';
import { ROOT, startProgram } from './program.ts';

const DEMO = join(ROOT, 'test/data/demo');

/** Providers that know the demo notes' labels, and answer at once or never; from a checkout only, since they are no part of the program. */
export async function startProviders({ hang }: { hang: boolean }): Promise<DemoEmulator> {
  const files = { notes: join(DEMO, 'notes.jsonl'), labels: join(DEMO, 'labels.jsonl') };
  const emulator = await startEmulator({ ...files, latencyMs: 0, env: process.env });
  if (hang) await emulator.plan({ rates: { hang: 1 } });
  return emulator;
}

export interface RoleProcess {
  /** Resolves when it has ended well. @throws BenchError PROGRAM_FAILED when it has not. */
  readonly done: Promise<void>;
  /** Used so far, by all its threads. NaN where there is no /proc, and after it ended. */
  cpuSeconds(): number;
  /** NaN where there is no /proc, and after it ended. */
  residentBytes(): number;
  /** SIGTERM, as a supervisor would. */
  stop(): Promise<void>;
}

/**
 * Starts `run`, and resolves once it says that it is ready. @param key of the emulated providers, where they are asked.
 * @param cores that it may use, such as "0,2-3". @throws BenchError PROGRAM_FAILED with its last line, when it ends before.
 */
export async function startRole(
  role: Role,
  config: string,
  { key, cores }: { key?: string | undefined; cores?: string | undefined } = {},
): Promise<RoleProcess> {
  const command = ['run', '--role', role, '--quiet', '--config', config];
  const program = startProgram(command, { env: key === undefined ? {} : { [KEY_FROM]: key }, cores });
  const done = program.ended.then(code => {
    if (code !== 0) throw new BenchError('PROGRAM_FAILED', `the ${role} ended with ${code}: ${program.lastWords()}`);
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
