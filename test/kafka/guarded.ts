/** The owner's side of a guard (guard.ts): a temporary folder and one program in it that cannot outlive this process. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePorts } from './ports.ts';
import type { Command, Runner, Running } from './runner.ts';
import { onPorts, type Planner, type Service, startService } from './service.ts';

/** What a guard tells its owner. */
export type Said = { readonly folder: string } | { readonly started: number } | { readonly ended: number | string };

/** A service that a test may do anything to, and leave in any state: its guard tidies up. */
export interface GuardedService extends Service {
  /** Kills it and removes its data. */
  dispose(): Promise<void>;
}

/** @throws Error when it does not start; nothing of it is left then. */
export async function startGuarded(
  name: string,
  portCount: number,
  planFor: Planner,
): Promise<{ service: GuardedService; ports: readonly number[] }> {
  const { services, ports } = await startTogether(name, portCount, [planFor]);
  return { service: services[0] as GuardedService, ports };
}

/**
 * Several that need one another to become ready: all are started at once, and each plan is given the ports of all.
 * @throws Error when one of them does not start; nothing of any is left then.
 */
export async function startTogether(
  name: string,
  portCount: number,
  planners: readonly Planner[],
): Promise<{ services: readonly GuardedService[]; ports: readonly number[] }> {
  return onPorts(await freePorts(portCount), async ports => {
    const runners = await Promise.all(planners.map(() => Guarded.create(name)));
    try {
      const services = await Promise.all(
        runners.map(async (runner, i) => {
          const service = await startService(runner, ports, planners[i] as Planner);
          return { ...service, dispose: () => runner.dispose() };
        }),
      );
      return { services, ports };
    } catch (error) {
      await Promise.all(runners.map(runner => runner.dispose()));
      throw error;
    }
  });
}

/** The guard and its channel do not keep this process alive: a test file ends when its tests do. */
class Guarded implements Runner {
  readonly folder: string;
  readonly #guard: ChildProcess;
  readonly #gone: Promise<unknown>;

  private constructor(guard: ChildProcess, folder: string) {
    this.#guard = guard;
    this.folder = folder;
    this.#gone = once(guard, 'exit');
    guard.unref();
    guard.channel?.unref();
  }

  static async create(name: string): Promise<Guarded> {
    const guard = fork(join(import.meta.dirname, 'guard.ts'), [name], {
      detached: true, // Ctrl-C in a terminal goes to the owner alone
      stdio: 'ignore',
      execArgv: [],
    });
    const folder = await new Promise<string>((resolve, reject) => {
      guard.once('message', (said: Said) => ('folder' in said ? resolve(said.folder) : reject(new Error('no folder'))));
      guard.once('exit', code => reject(new Error(`the guard of a ${name} ended with ${code}`)));
    });
    return new Guarded(guard, folder);
  }

  start(command: Command): Promise<Running> {
    const ended = Promise.withResolvers<number | string>();
    const started = Promise.withResolvers<Running>();
    const listen = (said: Said): void => {
      if ('started' in said) started.resolve({ pid: said.started, ended: ended.promise });
      if (!('ended' in said)) return;
      this.#guard.off('message', listen);
      ended.resolve(said.ended);
      started.reject(new Error(`${command.program} ${said.ended}`)); // no effect on one that had started
    };
    this.#guard.on('message', listen);
    const lost = (): void => {
      ended.resolve('killed by its guard');
      started.reject(new Error(`the guard of ${this.folder} is gone`));
    };
    this.#gone.then(lost, lost);
    this.#guard.send(command, error => error !== null && started.reject(error));
    return started.promise;
  }

  async dispose(): Promise<void> {
    this.#guard.ref();
    if (this.#guard.connected) this.#guard.disconnect();
    await this.#gone;
  }
}
