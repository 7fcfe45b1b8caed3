/**
 * The emulated provider of the demo: a program of its own under test/, so that nothing of it can get into what serves. It never
 * outlives the demo: `stop` ends it, and it ends itself when its standard input does, however this process dies.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { ClinstreamError } from '../core/errors.ts';
import type { Stop } from '../core/processor.ts';

const PROGRAM = resolve(import.meta.dirname, '../../test/emulators/main.ts');
const KILL_MS = 2_000;

export class DemoError extends ClinstreamError<'EMULATOR_MISSING' | 'EMULATOR_FAILED'> {
  readonly stage = 'config';
}

/** What the provider does wrong from now on: the next requests in order, then shares of all. Names are the emulator's. */
export interface FaultPlan {
  readonly schedule?: readonly string[];
  readonly rates?: Readonly<Record<string, number>>;
}

const Ready = z.object({ simulated: z.literal(true), openaiUrl: z.url(), openaiControl: z.url() });
const Asked = z.object({
  simulated: z.literal(true),
  requests: z.number(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  /** Texts answered, and billed, more than once. */
  billedTwice: z.number(),
});

/** The emulator's own count of what it was asked. */
export type Asked = z.output<typeof Asked>;

export interface DemoEmulator {
  readonly baseUrl: string;
  /** `host:port`, for the list of allowed hosts. */
  readonly host: string;
  /** Made up for this run; worth nothing elsewhere. */
  readonly apiKey: string;
  /** Rejects when it ends before `stop`. */
  readonly ended: Promise<never>;
  readonly plan: (faults: FaultPlan) => Promise<void>;
  readonly asked: () => Promise<Asked>;
  readonly stop: Stop;
}

/** @throws DemoError where test/ was not installed, or when it does not start. */
export async function startEmulator(options: {
  notes: string;
  labels: string;
  latencyMs: number;
  env: NodeJS.ProcessEnv;
}): Promise<DemoEmulator> {
  if (!existsSync(PROGRAM)) {
    throw new DemoError(
      'EMULATOR_MISSING',
      `the simulated teacher is not installed (${PROGRAM}): run the demo in a clone of the repository`,
    );
  }
  const apiKey = `simulated-${randomUUID()}`;
  const { notes, labels, latencyMs, env } = options;
  const args = ['--notes', notes, '--labels', labels, '--openai-key', apiKey, '--latency-ms', String(latencyMs)];
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: bare(env),
    // its errors could quote a note
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let stopping = false;
  const exited = once(child, 'exit').catch(() => []);
  const ended = exited.then(([code]): Promise<never> => {
    if (stopping) return new Promise(() => {});
    throw new DemoError('EMULATOR_FAILED', `the simulated teacher ended by itself (exit code ${code ?? 'none'})`);
  });
  ended.catch(() => {}); // whoever waits for it hears of it
  const stop: Stop = async () => {
    stopping = true;
    await end(child, exited);
  };
  try {
    const { openaiUrl, openaiControl } = Ready.parse(JSON.parse(await Promise.race([firstLine(child), ended])));
    return {
      baseUrl: openaiUrl,
      host: new URL(openaiUrl).host,
      apiKey,
      ended,
      plan: async faults => {
        const body = JSON.stringify(faults);
        const { ok, status } = await fetch(`${openaiControl}/__faults`, { method: 'POST', body });
        if (!ok) throw new DemoError('EMULATOR_FAILED', `the simulated teacher refused a plan of faults (${status})`);
      },
      asked: async () => Asked.parse(await (await fetch(`${openaiControl}/__asked`)).json()),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [line] = (await once(createInterface(child.stdout as NodeJS.ReadableStream), 'line')) as [string];
  return line;
}

async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const insist = setTimeout(() => child.kill('SIGKILL'), KILL_MS);
  await exited;
  clearTimeout(insist);
}

/** No key of a real provider has any business there. */
function bare(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = ['PATH', 'SystemRoot', 'TEMP', 'TMP'];
  return Object.fromEntries(kept.flatMap(name => (env[name] === undefined ? [] : [[name, env[name]]])));
}
