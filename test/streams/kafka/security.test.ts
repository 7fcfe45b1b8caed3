/** If this fails, a wrong password or a missing permission would look like something else, or records would be lost over it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type AclEntry, type Admin, type SASLOptions } from 'kafkajs';
import { kafkaSettings } from '../../../src/commands/kafka-settings.ts';
import { loadConfig } from '../../../src/config.ts';
import { createKafka, type KafkaSettings } from '../../../src/streams/kafka/client.ts';
import { KafkaTransport } from '../../../src/streams/kafka/kafka-transport.ts';
import { StreamError } from '../../../src/streams/stream-error.ts';
import { startTelemetryServer } from '../../../src/telemetry/server.ts';
import { createTelemetry } from '../../../src/telemetry/telemetry.ts';
import { drain, echo, keyed, start, texts } from '../../contract/harness.ts';
import { type SecureBroker, startBroker } from '../../kafka/broker.ts';
import { kafkaNeeds } from '../../kafka/needs.ts';
import { unsignedToken } from '../../kafka/secure-listener.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { settingsFor } from './settings.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
const PASSWORD = 'correct-horse-7';
const KEEP = { ms: null, bytes: null };

type Resource = 'TOPIC' | 'GROUP' | 'TRANSACTIONAL_ID';
type Grant = readonly [resource: Resource, name: string, operations: readonly (keyof typeof AclOperationTypes)[]];

/** What the README says that a worker needs, and nothing more. */
const NEEDED: readonly Grant[] = [
  ['TOPIC', 'in', ['READ', 'DESCRIBE']],
  ['TOPIC', 'out', ['WRITE', 'DESCRIBE']],
  ['GROUP', 'contract', ['READ', 'DESCRIBE']],
  ['TRANSACTIONAL_ID', 'contract:', ['WRITE', 'DESCRIBE']],
];

function entries(user: string, grants: readonly Grant[]): AclEntry[] {
  return grants.flatMap(([resource, resourceName, operations]) =>
    operations.map(operation => ({
      resourceType: AclResourceTypes[resource],
      resourceName,
      resourcePatternType:
        resource === 'TRANSACTIONAL_ID' ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
      principal: `User:${user}`,
      host: '*',
      operation: AclOperationTypes[operation],
      permissionType: AclPermissionTypes.ALLOW,
    })),
  );
}

const { skip } = kafkaNeeds();
const folder = temporaryFolder('security');

describe('a broker with TLS, SASL and ACLs', { skip, timeout: 300_000 }, () => {
  let broker: SecureBroker;
  let admin: Admin;
  let inside: KafkaTransport;
  const users = ['whole', 'no-in', 'no-out', 'no-group', 'no-transaction', 'nothing'];

  before(async () => {
    broker = await startBroker({ secure: true, users: users.map(name => ({ name, password: PASSWORD })) });
    inside = await KafkaTransport.open(settingsFor(broker.bootstrap), Date.now);
    admin = createKafka(settingsFor(broker.bootstrap)).admin();
    await admin.connect();
    for (const topic of ['in', 'out']) await inside.createTopic(topic, { partitions: 2, retention: KEEP });
    const lacking: Readonly<Record<string, string>> = {
      'no-in': 'in',
      'no-out': 'out',
      'no-group': 'GROUP',
      'no-transaction': 'TRANSACTIONAL_ID',
    };
    for (const user of users.filter(each => each !== 'nothing')) {
      const grants = NEEDED.filter(([resource, name]) => lacking[user] !== resource && lacking[user] !== name);
      await admin.createAcls({ acl: entries(user, grants) });
    }
  });
  after(async () => {
    await inside?.close();
    await admin?.disconnect();
    await broker?.dispose();
  });

  function outside(sasl: SASLOptions, more: Partial<KafkaSettings> = {}): KafkaSettings {
    return settingsFor(broker.secureBootstrap, { tls: { ca: readFileSync(broker.caFile, 'utf8') }, sasl, ...more });
  }
  const scram = (username: string, password = PASSWORD): SASLOptions => ({
    mechanism: 'scram-sha-512',
    username,
    password,
  });
  const refusal =
    (code: StreamError['code'], advice: RegExp) =>
    (error: unknown): boolean => {
      assert.ok(error instanceof StreamError);
      assert.equal(error.code, code);
      assert.match(error.message, advice);
      assert.ok(!error.message.includes(PASSWORD) && !error.message.includes('wrong-horse'));
      return true;
    };

  for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
    it(`works with the right password by ${mechanism} and no more permissions than it needs`, async () => {
      const before = (await texts(inside, 'out')).length;
      await inside.append([keyed('a', mechanism), keyed('b', mechanism)]);
      const transport = await KafkaTransport.open(
        outside({ mechanism, username: 'whole', password: PASSWORD }),
        Date.now,
      );
      try {
        await drain(transport, echo);
      } finally {
        await transport.close();
      }
      assert.deepEqual((await texts(inside, 'out')).length, before + 2);
    });
  }

  it('works with a token that a file holds, and says when the broker refuses it', async () => {
    const tokenFile = join(folder, 'token');
    const settings = (): KafkaSettings => {
      const overrides = {
        transport: 'kafka',
        'kafka.brokers': broker.secureBootstrap,
        'kafka.tls.enabled': 'true',
        'kafka.tls.caFile': broker.caFile,
        'kafka.sasl.mechanism': 'oauthbearer',
        'kafka.sasl.tokenFile': tokenFile,
      };
      return kafkaSettings(loadConfig({ env: {}, overrides }));
    };
    writeFileSync(tokenFile, `${unsignedToken('whole', 300)}\n`);
    await inside.append([keyed('a', 'by token')]);
    const transport = await KafkaTransport.open(settings(), Date.now);
    await drain(transport, echo);
    await transport.close();
    assert.deepEqual((await texts(inside, 'out')).slice(-1), ['by token']);
    writeFileSync(tokenFile, unsignedToken('whole', -300));
    await assert.rejects(KafkaTransport.open(settings(), Date.now), refusal('BROKER_UNREACHABLE', /refuses the token/));
  });

  for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
    it(`says that the password is wrong, by ${mechanism}`, async () => {
      const settings = outside({ mechanism, username: 'whole', password: 'wrong-horse' });
      await assert.rejects(KafkaTransport.open(settings, Date.now), refusal('AUTHENTICATION_FAILED', /kafka\.sasl/));
    });
  }

  it('says that the certificate is not trusted, and that the port speaks TLS', async () => {
    const other = outside(scram('whole'), { tls: { ca: readFileSync(broker.otherCaFile, 'utf8') } });
    await assert.rejects(KafkaTransport.open(other, Date.now), refusal('BROKER_UNTRUSTED', /kafka\.tls\.caFile/));
    const plain = outside(scram('whole'), { tls: undefined, connectMs: 2_000 });
    await assert.rejects(KafkaTransport.open(plain, Date.now), refusal('BROKER_UNREACHABLE', /kafka\.tls\.enabled/));
  });

  const denials = [
    ['no-in', 'TOPIC_DENIED', /topic.*Read/],
    ['no-out', 'TOPIC_DENIED', /topic.*Write/],
    ['no-group', 'GROUP_DENIED', /group/],
    ['no-transaction', 'TRANSACTIONAL_ID_DENIED', /transactional id/],
    ['nothing', 'TOPIC_DENIED', /topic/],
  ] as const;
  for (const [user, code, advice] of denials) {
    it(`says what ${user} lacks (${code}), is never ready, and skips nothing`, async () => {
      const written = (await texts(inside, 'out')).length;
      await inside.append([keyed('a', user)]);
      const telemetry = createTelemetry({ log: { level: 'silent' } });
      const server = await startTelemetryServer({ telemetry, port: 0 });
      const transport = await KafkaTransport.open(outside(scram(user)), Date.now);
      let ready = 0;
      const over = new AbortController();
      const asking = (async () => {
        for (; !over.signal.aborted; await sleep(20)) {
          const { status } = await fetch(`${server.url}/readyz`);
          if (status === 200) ready++;
        }
      })();
      try {
        telemetry.observe({ kind: 'role.state', role: 'tagger', state: 'starting' });
        await assert.rejects(
          async () => {
            const running = await start(transport, echo, { observe: telemetry.observe });
            // as `run` does: the role is ready once it has begun, the group when it has its partitions
            telemetry.observe({ kind: 'role.state', role: 'tagger', state: 'ready' });
            await running.done;
          },
          refusal(code, advice),
        );
      } finally {
        over.abort();
        await asking;
        await server.stop();
        await transport.close();
      }
      assert.equal(ready, 0);
      assert.equal((await texts(inside, 'out')).length, written, 'nothing was written');
      await drain(inside, echo);
      assert.deepEqual((await texts(inside, 'out')).slice(-1), [user], 'and nothing was skipped');
    });
  }

  it('goes on by itself with what was granted meanwhile: a restart is all it needs', async () => {
    await inside.append([keyed('a', 'granted')]);
    await admin.createAcls({ acl: entries('nothing', NEEDED) });
    const transport = await KafkaTransport.open(outside(scram('nothing')), Date.now);
    await drain(transport, echo);
    await transport.close();
    assert.ok((await texts(inside, 'out')).includes('granted'));
  });
});
