/** A real Kafka broker of one node for tests, on loopback; it ends, and its data with it, no later than this process. */
import { brokerPlan, type Properties } from './broker-plan.ts';
import { download } from './download.ts';
import { type GuardedService, startGuarded } from './guarded.ts';
import { authorities, type User } from './secure-listener.ts';

export interface Broker extends GuardedService {
  /** host:port of the plaintext listener; on a secure broker that of the administrator, whom no ACL binds. */
  readonly bootstrap: string;
}

export interface SecureBroker extends Broker {
  /** host:port of the listener with TLS and SASL, where everything that no ACL allows is refused. */
  readonly secureBootstrap: string;
  /** The authority that signed the broker's certificate, in PEM. */
  readonly caFile: string;
  /** Another authority, which signed nothing of the broker's. */
  readonly otherCaFile: string;
}

export interface PlainOptions {
  readonly secure?: false;
  /** Of the broker's configuration, beside and over those that it has anyway. */
  readonly properties?: Properties;
}

export interface SecureOptions {
  readonly secure: true;
  /** Known to SCRAM-SHA-256, SCRAM-SHA-512 and PLAIN alike. */
  readonly users: readonly User[];
}

/** @throws Error when it cannot be fetched or does not start. */
export function startBroker(options: SecureOptions): Promise<SecureBroker>;
export function startBroker(options?: PlainOptions): Promise<Broker>;
export async function startBroker(options: PlainOptions | SecureOptions = {}): Promise<Broker | SecureBroker> {
  const { broker: classPath } = await download();
  const users = options.secure === true ? options.users : undefined;
  const { service, ports } = await startGuarded('kafka', users === undefined ? 2 : 3, (folder, given) =>
    brokerPlan(classPath, folder, given, { users, ...(options.secure === true ? {} : options) }),
  );
  const broker = { ...service, bootstrap: `127.0.0.1:${ports[0]}` };
  if (users === undefined) return broker;
  return { ...broker, secureBootstrap: `127.0.0.1:${ports[2]}`, ...authorities(service.folder) };
}
