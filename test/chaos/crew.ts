/** Workers under a supervisor: whoever ends by itself is started again, and everything that they say is counted. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

export type Phase = 'fencing' | 'fenced' | 'positioned' | 'beginning' | 'sent' | 'offsets-sent';

export interface Worker {
  readonly child: ChildProcess;
  /** Resolves when it has frozen itself. */
  readonly frozen: Promise<void>;
  readonly ended: Promise<unknown>;
  /** It has all partitions that the group gave it. */
  settled: boolean;
  /** The crew means it to end. */
  dismissed: boolean;
}

const RESTART_MS = 500;

export class Crew {
  readonly #env: NodeJS.ProcessEnv;
  readonly #workers: Worker[] = [];
  /** What workers said and how they ended, by code. */
  readonly counts: Record<string, number> = {};
  #closed = false;

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  /** @param freeze where it stops itself, and at which occurrence. */
  start(freeze?: { readonly phase: Phase; readonly occurrence: number }): Worker {
    const env = {
      ...this.#env,
      ...(freeze === undefined ? {} : { CHAOS_FREEZE: `${freeze.phase}:${freeze.occurrence}` }),
    };
    const child = spawn(
      process.execPath,
      ['--disable-warning=TimeoutNegativeWarning', join(import.meta.dirname, 'worker.ts')],
      { env, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const frozen = Promise.withResolvers<void>();
    const worker: Worker = {
      child,
      frozen: frozen.promise,
      ended: once(child, 'exit'),
      settled: false,
      dismissed: false,
    };
    this.#workers.push(worker);
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', line => {
      const said = JSON.parse(line) as Record<string, string>;
      if ('frozen' in said) frozen.resolve();
      if ('settled' in said) worker.settled = true;
      for (const [what, code] of Object.entries(said)) this.#count(`${what} ${code}`);
    });
    child.on('exit', (code, signal) => {
      this.#count(`exit ${signal ?? code}`);
      this.#workers.splice(this.#workers.indexOf(worker), 1);
      if (!this.#closed && !worker.dismissed) void sleep(RESTART_MS).then(() => this.#closed || this.start());
    });
    return worker;
  }

  get workers(): readonly Worker[] {
    return this.#workers;
  }

  /** @param at picks one of those that are at work. */
  any(at: (count: number) => number): Worker {
    return this.#workers[at(this.#workers.length)] as Worker;
  }

  /** SIGKILL; the supervisor starts another. */
  async kill(worker: Worker): Promise<void> {
    worker.child.kill('SIGKILL');
    await worker.ended;
  }

  /** SIGTERM. @returns its exit code. */
  async dismiss(worker: Worker): Promise<number | null> {
    worker.dismissed = true;
    worker.child.kill('SIGTERM');
    await worker.ended;
    return worker.child.exitCode;
  }

  /** Ends everyone. @returns exit codes. */
  async close(): Promise<(number | null)[]> {
    this.#closed = true;
    return Promise.all([...this.#workers].map(worker => this.dismiss(worker)));
  }

  /** For a run that failed: nothing is left behind. */
  abandon(): void {
    this.#closed = true;
    for (const { child } of this.#workers) child.kill('SIGKILL');
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}
