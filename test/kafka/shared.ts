/**
 * The broker and the registry that test files share: those of the whole run (global-setup.ts), or, for a file that is run by
 * hand, its own. Nobody stops, freezes or reconfigures these: topics, groups and subjects get names that no other file uses.
 */
import { startBroker } from './broker.ts';
import { startRegistry } from './registry.ts';

export interface SharedKafka {
  /** host:port */
  readonly bootstrap: string;
  /** Base of the Confluent API. */
  readonly registryUrl: string;
}

let own: Promise<SharedKafka> | undefined;

/** Call it where `kafkaNeeds` gave no reason to skip. */
export function sharedKafka(): Promise<SharedKafka> {
  const given = sharedByRun();
  if (given !== undefined) return Promise.resolve(given);
  own ??= startShared();
  return own;
}

/** What the environment names: the run's, or a cluster that whoever runs the tests gives them. */
export function sharedByRun(): SharedKafka | undefined {
  const { TEST_KAFKA_BOOTSTRAP: bootstrap, TEST_REGISTRY_URL: registryUrl } = process.env;
  return bootstrap === undefined || registryUrl === undefined ? undefined : { bootstrap, registryUrl };
}

/** Both, in parallel; they go away with this process or at `dispose`, whichever is first. */
export async function startShared(): Promise<SharedKafka & { dispose(): Promise<void> }> {
  // nobody kills this one: that the machine stood still for seconds must not cost its partitions their leader
  const properties = { 'broker.session.timeout.ms': '60000' };
  const [broker, registry] = await Promise.all([startBroker({ properties }), startRegistry()]);
  return {
    bootstrap: broker.bootstrap,
    registryUrl: registry.url,
    dispose: async () => {
      await Promise.all([broker.dispose(), registry.dispose()]);
    },
  };
}
