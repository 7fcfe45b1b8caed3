/**
 * A server from its first start to its removal: set up once, ready when it answers, back on the same ports and data after a
 * stop or a kill. Every wait has an end, and one that ends badly shows the last lines of the server's log.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from './ports.ts';
import { isStopped, send } from './processes.ts';
import type { Command, Runner, Running } from './runner.ts';

/** How one kind of server is run in a folder and on ports. */
export interface Plan {
  /** What a new folder needs before the first start, in order; each must succeed. */
  readonly setUp: readonly Command[];
  readonly serve: Command;
  /** What its log says once it has started: an answer alone could be a stranger's who took the port first. */
  readonly sign: string;
  /** Whether it answers; called again and again until it does. */
  ready(): Promise<boolean>;
}

export type Planner = (folder: string, ports: readonly number[]) => Promise<Plan>;

export interface Service {
  /** Its data and logs. */
  readonly folder: string;
  /** Of the server's process, while it runs. */
  pid(): number | undefined;
  /** Back on the same ports and data; resolves when it answers. */
  start(): Promise<void>;
  /** SIGTERM; resolves when the process is gone. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers; resolves when every thread has stopped. */
  freeze(): Promise<void>;
  thaw(): void;
}

/** Generous: machines are shared. Ready takes 4 to 12 s on a quiet one. */
const [SET_UP_MS, READY_MS, STOP_MS, KILL_MS] = [120_000, 180_000, 60_000, 20_000];
const ATTEMPTS = 5;
const TAKEN = /address already in use|already bound|in use by another process/i;

/**
 * Starts something on these ports, or on others when one of them was taken meanwhile.
 * @param start leaves nothing behind when it fails.
 */
export async function onPorts<T>(
  wanted: readonly number[],
  start: (ports: readonly number[]) => Promise<T>,
): Promise<T> {
  for (let [attempt, ports] = [1, wanted]; ; attempt++, ports = await freePorts(wanted.length)) {
    try {
      return await start(ports);
    } catch (error) {
      if (attempt === ATTEMPTS || !(error instanceof Error) || !TAKEN.test(error.message)) throw error;
    }
  }
}

/** @throws Error when it ends or does not answer in time; it does not run then. */
export async function startService(runner: Runner, ports: readonly number[], planFor: Planner): Promise<Service> {
  const folder = join(runner.folder, 'server');
  await mkdir(folder, { recursive: true });
  const plan = await planFor(folder, ports);
  const service = serviceOf(runner, folder, plan);
  try {
    for (const command of plan.setUp) await runToEnd(runner, command);
    await service.start();
    return service;
  } catch (error) {
    await service.kill();
    throw error;
  }
}

function serviceOf(runner: Runner, folder: string, plan: Plan): Service {
  let running: Running | undefined;

  const end = async (signal: 'SIGTERM' | 'SIGKILL', ms: number): Promise<void> => {
    if (running === undefined) return;
    const { pid, ended } = running;
    send(pid, signal);
    if (signal === 'SIGTERM') send(pid, 'SIGCONT'); // a frozen one would not hear it
    await within(ms, ended, plan.serve);
  };
  const runningPid = (): number => {
    if (running === undefined) throw new Error(`no server runs in ${folder}`);
    return running.pid;
  };

  return {
    folder,
    pid: () => running?.pid,
    start: async () => {
      if (running !== undefined) throw new Error(`the server in ${folder} runs already`);
      const before = logOf(plan.serve).length;
      const started = await within(KILL_MS, runner.start(plan.serve), plan.serve);
      running = started;
      let how: number | string | undefined;
      void started.ended.then(value => {
        how = value;
        running = undefined;
      });
      const isReady = async (): Promise<boolean> =>
        logOf(plan.serve).includes(plan.sign, before) && (await plan.ready());
      for (const until = Date.now() + READY_MS; !(await isReady()); await sleep(50)) {
        if (how !== undefined) throw failure(`ended (${how}) before it was ready`, plan.serve);
        if (Date.now() > until) throw failure(`was not ready after ${READY_MS} ms`, plan.serve);
      }
    },
    stop: () => end('SIGTERM', STOP_MS),
    kill: () => end('SIGKILL', KILL_MS),
    freeze: async () => {
      const pid = runningPid();
      send(pid, 'SIGSTOP');
      for (const until = Date.now() + KILL_MS; !isStopped(pid); await sleep(5)) {
        if (running === undefined || Date.now() > until) throw failure('did not freeze', plan.serve);
      }
    },
    thaw: () => send(runningPid(), 'SIGCONT'),
  };
}

async function runToEnd(runner: Runner, command: Command): Promise<void> {
  const { ended } = await within(KILL_MS, runner.start(command), command);
  const how = await within(SET_UP_MS, ended, command);
  if (how !== 0) throw failure(`ended (${how})`, command);
}

/** The timer also keeps this process alive meanwhile, which a guard does not. */
async function within<T>(ms: number, promise: Promise<T>, command: Command): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(failure(`did not follow within ${ms} ms`, command)), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function failure(what: string, command: Command): Error {
  const { program, args, log } = command;
  return new Error(`${program} ${args.at(-1)} ${what}; the end of ${log}:\n${logOf(command).slice(-4000)}`);
}

function logOf({ log }: Command): string {
  return existsSync(log) ? readFileSync(log, 'utf8') : '';
}
