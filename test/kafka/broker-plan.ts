/**
 * How one node of a Kafka cluster (KRaft) is set up and run: its properties, its storage and its command lines. Every node is broker
 * and controller at once, and holds a replica of everything; a cluster of one is the ordinary broker.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isBroker, isOpen } from './ports.ts';
import type { Command } from './runner.ts';
import { certificateCommands, scramArguments, secureProperties, type User } from './secure-listener.ts';
import type { Plan } from './service.ts';

export type Properties = Readonly<Record<string, string>>;

const LOG4J = join(import.meta.dirname, 'log4j2.xml');

/** A node among those that know one another from the start. */
export interface Member {
  /** From 1. */
  readonly id: number;
  readonly clusterId: string;
  /** Ports of every node's controller, in the order of their ids. */
  readonly controllers: readonly number[];
}

export interface NodeOptions {
  readonly users?: readonly User[] | undefined;
  readonly properties?: Properties | undefined;
  /** Alone unless it is said. */
  readonly member?: Member | undefined;
}

/** Ports: of the listener, of the controller, and of the secure listener where there are users. */
export async function brokerPlan(
  classPath: string,
  folder: string,
  ports: readonly number[],
  { users, properties: more = {}, member = alone(ports) }: NodeOptions,
): Promise<Plan> {
  const [open = 0, controller = 0, secure = 0] = ports;
  const file = join(folder, 'server.properties');
  const properties = {
    ...basicProperties(folder, open, member),
    ...(users === undefined ? {} : secureProperties(folder, { open, controller, secure }, users)),
    ...more,
  };
  await writeFile(file, text(properties));
  const command = (log: string, ...args: readonly string[]): Command => ({
    program: 'java',
    args: ['-XX:+UseSerialGC', '-XX:-UsePerfData', '-Djava.awt.headless=true', `-Djava.io.tmpdir=${folder}`, ...args],
    log: join(folder, log),
  });
  const run = [`-Dlog4j2.configurationFile=${LOG4J}`, '-cp', classPath];
  const formatted = existsSync(join(folder, 'data/meta.properties'));
  const format = command(
    'format.log',
    '-Xmx128m',
    '-XX:TieredStopAtLevel=1',
    ...run,
    'kafka.tools.StorageTool',
    'format',
    ...['--cluster-id', member.clusterId, '--config', file],
    ...(users ?? []).flatMap(scramArguments),
  );
  return {
    setUp: formatted ? [] : [...(users === undefined ? [] : certificateCommands(folder)), format],
    serve: command('server.log', ...heap(member), ...run, 'kafka.Kafka', file),
    sign: 'Kafka Server started',
    ready: async () => (await isBroker(open)) && (users === undefined || (await isOpen(secure))),
  };
}

function basicProperties(folder: string, open: number, { id, controllers }: Member): Properties {
  const replicas = String(controllers.length);
  const majority = String(Math.floor(controllers.length / 2) + 1);
  return {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    'controller.quorum.voters': controllers.map((port, index) => `${index + 1}@127.0.0.1:${port}`).join(','),
    listeners: `OPEN://127.0.0.1:${open},CONTROLLER://127.0.0.1:${controllers[id - 1]}`,
    'advertised.listeners': `OPEN://127.0.0.1:${open}`,
    'listener.security.protocol.map': 'OPEN:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'OPEN',
    'log.dirs': join(folder, 'data'),
    // a replica on every node; what most of them have is kept when one is lost
    'default.replication.factor': replicas,
    'min.insync.replicas': majority,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': majority,
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': majority,
    // a first assignment at once, short sessions allowed, expired transactions aborted soon, no topic by accident
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
    'auto.create.topics.enable': 'false',
    // after a SIGKILL the new broker waits until the old one's registration expires, and others lead for it from then on
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    // small
    'num.network.threads': '2',
    'num.io.threads': '4',
    'log.cleaner.dedupe.buffer.size': '8388608',
    'log.segment.bytes': '67108864',
  };
}

const alone = ([, controller = 0]: readonly number[]): Member => ({
  id: 1,
  clusterId: newClusterId(),
  controllers: [controller],
});

/** Several share one small machine. */
const heap = ({ controllers }: Member): string[] =>
  controllers.length === 1 ? ['-Xms256m', '-Xmx512m'] : ['-Xms128m', '-Xmx384m'];

/** 22 characters of url-safe base64; the first is no dash, which the tool would read as an option. */
export const newClusterId = (): string => `k${randomBytes(16).toString('base64url').slice(1)}`;

const text = (properties: Properties): string =>
  Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
