/** A real schema registry with the Confluent API for tests, on loopback; it ends, and its data with it, no later than this process. */
import { download } from './download.ts';
import { type GuardedService, startGuarded } from './guarded.ts';
import { registryPlan, registryUrl } from './registry-plan.ts';

export interface Registry extends GuardedService {
  /** Base of the Confluent API. The global compatibility is BACKWARD. */
  readonly url: string;
}

/** @throws Error when it cannot be fetched or does not start. */
export async function startRegistry(): Promise<Registry> {
  const { registry: jar } = await download();
  const { service, ports } = await startGuarded('registry', 1, (folder, given) => registryPlan(jar, folder, given));
  return { ...service, url: registryUrl(ports) };
}
