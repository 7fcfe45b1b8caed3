/** If this fails, tests against a real Kafka would prove nothing, or leave Java processes on the machines that run them. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import kafkajs, { type AclOperationTypes, type SASLOptions } from 'kafkajs';
import { temporaryFolder } from '../support/temporary.ts';
import { type Broker, type SecureBroker, startBroker } from './broker.ts';
import { client, consume, createTopic, leaderOf, produce, replicas, until } from './client.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { kafkaNeeds } from './needs.ts';
import { isBroker } from './ports.ts';
import { commandLine, commandLines } from './processes.ts';
import { type Registry, startRegistry } from './registry.ts';
import { unsignedToken } from './secure-listener.ts';
import { sharedKafka } from './shared.ts';

/** Machines are shared. */
const options = { ...kafkaNeeds(), timeout: 300_000 };

describe('a broker', options, () => {
  let broker: Broker;
  before(async () => {
    broker = await startBroker();
  });
  after(() => broker.dispose());

  it('keeps its address and its records over a stop and a kill', async () => {
    const kafka = client(broker.bootstrap);
    await createTopic(kafka, 'kept');
    assert.equal(await produce(kafka, 'kept', 'one'), '0');
    const patient = client(broker.bootstrap, {}, 20);
    assert.deepEqual(await consume(patient, 'kept', 1), ['one']);
    for (const [index, end] of [broker.stop, broker.kill].entries()) {
      await end();
      await assert.rejects(produce(kafka, 'kept', 'lost'), /ECONNREFUSED/);
      await broker.start();
      assert.equal(await produce(kafka, 'kept', 'again'), String(index + 1));
    }
    assert.deepEqual(await consume(patient, 'kept', 3), ['one', 'again', 'again']);
  });

  it('answers nobody while it is frozen, and then goes on', async () => {
    const port = Number(broker.bootstrap.split(':')[1]);
    await broker.freeze();
    assert.equal(await isBroker(port), false);
    broker.thaw();
    await until('answer', () => isBroker(port));
  });
});

describe('a cluster of three', options, () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster(3, { properties: { 'leader.imbalance.check.interval.seconds': '1' } });
  });
  after(() => cluster.dispose());

  it('takes records while one node is gone, and keeps them when that one leads again', async () => {
    const kafka = client(cluster.bootstrap, {}, 20);
    await createTopic(kafka, 'kept');
    assert.equal(await produce(kafka, 'kept', 'one'), '0');
    const leader = await leaderOf(kafka, 'kept');
    await cluster.node(leader).kill();
    assert.equal(await produce(kafka, 'kept', 'two'), '1');
    assert.notEqual(await leaderOf(kafka, 'kept'), leader);
    await cluster.node(leader).start();
    await until('all in sync', async () => (await replicas(kafka, 'kept')).isr.length === 3);
    await until('it leads again', async () => (await leaderOf(kafka, 'kept')) === leader);
    assert.deepEqual(await consume(kafka, 'kept', 2), ['one', 'two']);
  });
});

describe('a registry', options, () => {
  let registry: Registry;
  before(async () => {
    registry = await startRegistry();
  });
  after(() => registry.dispose());

  it('keeps ids over a stop and a kill, and refuses what readers of today could not read', async () => {
    const api = new SchemaRegistry({ host: registry.url });
    const schema = (...fields: readonly object[]) => ({
      type: SchemaType.AVRO as const,
      schema: JSON.stringify({ type: 'record', name: 'Note', namespace: 'of.a.test', fields }),
    });
    const first = schema({ name: 'text', type: 'string' });
    const { id } = await api.register(first, { subject: 'notes-value' });
    for (const end of [registry.stop, registry.kill]) {
      await end();
      await registry.start();
      const fresh = new SchemaRegistry({ host: registry.url });
      assert.equal(await fresh.getLatestSchemaId('notes-value'), id);
      assert.equal((await fresh.register(first, { subject: 'notes-value' })).id, id);
    }
    const incompatible = schema({ name: 'text', type: 'string' }, { name: 'ward', type: 'string' });
    await assert.rejects(api.register(incompatible, { subject: 'notes-value' }), { status: 409 });
  });
});

describe('a secure broker', options, () => {
  let broker: SecureBroker;
  const [reader, writer] = [
    { name: 'reader', password: 'reads-only' },
    { name: 'writer', password: 'writes-too' },
  ];
  before(async () => {
    broker = await startBroker({ secure: true, users: [reader, writer] });
    await createTopic(client(broker.bootstrap), 'guarded');
  });
  after(() => broker.dispose());

  /** Resolves when a client of this kind may ask for metadata. */
  const connect = async (sasl: SASLOptions | undefined, ca = broker.caFile): Promise<void> => {
    const admin = secureClient(sasl, ca).admin();
    try {
      await admin.connect();
      await admin.listTopics();
    } finally {
      await admin.disconnect();
    }
  };
  const secureClient = (sasl: SASLOptions | undefined, ca = broker.caFile) =>
    client(broker.secureBootstrap, { ssl: { ca: [readFileSync(ca)] }, ...(sasl === undefined ? {} : { sasl }) });
  const plain = { mechanism: 'plain', username: writer.name, password: writer.password } as const;

  for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
    it(`lets the right password in by ${mechanism}, and no other`, async () => {
      const sasl = (password: string) => ({ mechanism, username: writer.name, password }) as SASLOptions;
      await connect(sasl(writer.password));
      await assert.rejects(connect(sasl(reader.password)), { name: 'KafkaJSSASLAuthenticationError' });
    });
  }

  it('lets a token in by oauthbearer, and not one that is past or none', async () => {
    const sasl = (value: string): SASLOptions => ({
      mechanism: 'oauthbearer',
      oauthBearerProvider: async () => ({ value }),
    });
    await connect(sasl(unsignedToken(writer.name, 600)));
    await assert.rejects(connect(sasl(unsignedToken(writer.name, -600))));
    await assert.rejects(connect(sasl('no token')));
  });

  it('is known by its authority alone, and to nobody without a name', async () => {
    await assert.rejects(connect(plain, broker.otherCaFile), /certificate/);
    await assert.rejects(connect(undefined));
    await assert.rejects(client(broker.secureBootstrap, { sasl: plain }).admin().connect());
  });

  it('refuses what no ACL allows, and the plaintext listener grants', async () => {
    const grant = async (name: string, operation: AclOperationTypes): Promise<void> => {
      const admin = client(broker.bootstrap).admin();
      await admin.connect();
      await admin.createAcls({
        acl: [
          {
            principal: `User:${name}`,
            operation,
            host: '*',
            permissionType: kafkajs.AclPermissionTypes.ALLOW,
            resourceType: kafkajs.AclResourceTypes.TOPIC,
            resourceName: 'guarded',
            resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
          },
        ],
      });
      await admin.disconnect();
    };
    const write = ({ name: username, password }: typeof writer) =>
      produce(secureClient({ mechanism: 'scram-sha-512', username, password }), 'guarded', username);

    await assert.rejects(write(writer), /Not authorized/);
    await grant(writer.name, kafkajs.AclOperationTypes.WRITE);
    await grant(reader.name, kafkajs.AclOperationTypes.READ);
    assert.equal(await write(writer), '0');
    await assert.rejects(write(reader), /Not authorized/);
  });

  it('still knows users and grants after a restart', async () => {
    await broker.stop();
    await broker.start();
    await connect({ ...plain, mechanism: 'scram-sha-256' });
    await assert.rejects(connect({ ...plain, password: 'wrong' }), { name: 'KafkaJSSASLAuthenticationError' });
  });

  it('refuses names that its property file could not hold', async () => {
    await assert.rejects(startBroker({ secure: true, users: [{ name: 'a"b', password: 'x' }] }), /must match/);
  });
});

describe('a process that is killed', options, () => {
  const temporary = temporaryFolder('crash');

  /** Starts a broker in a process of its own, whose temporary files all lie in `temporary`. */
  const owner = (): ChildProcess =>
    spawn(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `import { startBroker } from ${JSON.stringify(join(import.meta.dirname, 'broker.ts'))};
         const broker = await startBroker();
         process.stdout.write(String(broker.pid()));
         setInterval(() => {}, 1000);`,
      ],
      { env: { ...process.env, TMPDIR: temporary }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
  const leavesNothing = (): Promise<void> =>
    until(
      'end of the processes and folders that a killed test left',
      async () => readdirSync(temporary).length === 0 && !commandLines().some(line => line.includes(temporary)),
      20_000,
    );

  it('leaves neither a broker nor its data', async () => {
    const child = owner();
    const [pid] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    assert.match(commandLine(Number(pid)), /^java .*kafka\.Kafka/);
    assert.equal(readdirSync(temporary).length, 1);
    child.kill('SIGKILL');
    await leavesNothing();
    assert.equal(commandLine(Number(pid)), '');
  });

  it('leaves nothing either when it is killed amid the start', async () => {
    for (const ms of [200, 500, 1000, 2000]) {
      const child = owner();
      await sleep(ms);
      child.kill('SIGKILL');
      await once(child, 'exit');
      await leavesNothing();
    }
  });
});

describe('the shared broker and registry', options, () => {
  it('answer', async () => {
    const { bootstrap, registryUrl } = await sharedKafka();
    assert.equal(await isBroker(Number(bootstrap.split(':')[1])), true);
    const response = await fetch(`${registryUrl}/config`);
    assert.deepEqual(await response.json(), { compatibilityLevel: 'BACKWARD' });
  });
});
