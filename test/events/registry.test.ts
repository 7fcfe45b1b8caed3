/** If these fail, notes go to the dead letters because the registry was away, or wait for ever on one that does not answer. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { DecodeError } from '../../src/events/codec.ts';
import { createConfluentCodec, valueSubject } from '../../src/events/confluent.ts';
import { RegistryError } from '../../src/events/registry-error.ts';
import { type AvroRecord, NOTE_SCHEMA } from '../../src/events/schemas.ts';
import { kafkaNeeds } from '../kafka/needs.ts';
import { certificateCommands } from '../kafka/secure-listener.ts';
import { sharedKafka } from '../kafka/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { NOTE } from './example.ts';
import { client, closedPort, type Front, freshTopic, json, startFront } from './front.ts';

const { skip } = kafkaNeeds();
const PASSWORD = 'hunter2-pässword';
const MISSING = { error_code: 40403, message: 'Schema not found' };

describe('the schema registry', { skip, timeout: 300_000 }, () => {
  let url: string;
  let front: Front;
  let id: number;
  const subject = valueSubject(freshTopic('registry'));

  before(async () => {
    ({ registryUrl: url } = await sharedKafka());
    front = await startFront(url);
    id = await client(url, { autoRegister: true }).idOf(subject, NOTE_SCHEMA);
  });
  beforeEach(() => {
    front.intercept = () => false;
    front.asked.length = 0;
  });
  after(() => front.close());

  /** What went wrong: never bad input, never with the password. */
  async function failure(asked: Promise<unknown>): Promise<RegistryError> {
    const error = await asked.then(
      () => assert.fail('it was answered'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof RegistryError, inspect(error));
    assert.equal(error.stage, 'registry');
    const shown = inspect(error, { depth: 9, showHidden: true });
    for (const secret of [PASSWORD, Buffer.from(`me:${PASSWORD}`).toString('base64')]) {
      assert.ok(!shown.includes(secret), 'the error shows the password');
    }
    return error;
  }

  it('is asked once for a schema and once for our id, however many want them', async () => {
    const registry = client(front.url);
    const codec = createConfluentCodec({ schema: NOTE_SCHEMA, registry, subject });
    const values = await Promise.all(Array.from({ length: 20 }, () => codec.encode(NOTE)));
    await Promise.all(values.map(async value => assert.deepEqual(await codec.decode(value), NOTE)));
    await codec.decode(await codec.encode(NOTE));
    assert.deepEqual(front.asked, [`POST /subjects/${subject}`, `GET /schemas/ids/${id}`]);
  });

  it('gives the schema as it was registered, with names in full', async () => {
    const schema = (await client(url).schema(id)) as AvroRecord;
    assert.equal(schema.name, 'clinstream.v1.NoteEvent');
    assert.deepEqual(
      schema.fields.map(field => field.name),
      NOTE_SCHEMA.fields.map(field => field.name),
    );
  });

  it('may be away: that is retryable, says nothing about the note, and is forgotten when it is back', async () => {
    const away = await failure(client(await closedPort()).schema(id));
    assert.equal(away.code, 'REGISTRY_UNREACHABLE');
    assert.equal(away.retryable, true);
    assert.match(away.message, /ECONNREFUSED/);

    const registry = client(front.url, { requestMs: 1_500 });
    const codec = createConfluentCodec({ schema: NOTE_SCHEMA, registry, subject });
    const value = await createConfluentCodec({ schema: NOTE_SCHEMA, registry: client(url), subject }).encode(NOTE);
    const troubles: readonly (readonly [string, Front['intercept'], string])[] = [
      ['silence', () => true, 'REGISTRY_UNREACHABLE'],
      ['a reset', request => request.socket.destroy() !== undefined, 'REGISTRY_UNREACHABLE'],
      [
        'an answer that stops in the middle',
        (_, response) => response.writeHead(200, { 'content-length': '500' }).write('{"schema":"') || true,
        'REGISTRY_UNREACHABLE',
      ],
      [
        'an answer cut off',
        (_, response) => {
          response.writeHead(200, { 'content-length': '500' }).write('{', () => response.destroy());
          return true;
        },
        'REGISTRY_UNREACHABLE',
      ],
      ['500', (_, response) => json(response, 500, { error_code: 50001, message: 'x' }), 'REGISTRY_FAILED'],
      ['500 with null', (_, response) => json(response, 500, null), 'REGISTRY_FAILED'],
      ['503', (_, response) => json(response, 503, {}), 'REGISTRY_FAILED'],
      ['429', (_, response) => json(response, 429, {}), 'REGISTRY_FAILED'],
    ];
    for (const [name, intercept, code] of troubles) {
      front.intercept = intercept;
      const began = performance.now();
      for (const ask of [() => codec.decode(value), () => codec.encode(NOTE)]) {
        const error = await failure(ask());
        assert.equal(error.code, code, name);
        assert.equal(error.retryable, true, name);
      }
      assert.ok(performance.now() - began < 15_000, `${name}: bounded by requestMs`);
    }
    front.intercept = () => false;
    assert.deepEqual(await codec.decode(value), NOTE);
    assert.deepEqual(await codec.encode(NOTE), value);
  });

  it('is asked again at once when it only stumbles', async () => {
    let stumbles = 2;
    front.intercept = (_, response) => stumbles-- > 0 && json(response, 503, {});
    await client(front.url).schema(id);
    assert.equal(front.asked.length, 3);
  });

  it('must be one: whatever else answers, 404 or 200, is a wrong URL and not a wrong note', async () => {
    const others: readonly Front['intercept'][] = [
      (_, response) => json(response, 404, { status: 404, title: 'no such page' }),
      (_, response) => json(response, 404, { error_code: 404, message: 'HTTP 404 Not Found' }),
      (_, response) => response.writeHead(404).end() && true,
      (_, response) => json(response, 200, {}),
      (_, response) => response.writeHead(200).end('<html>log in</html>') && true,
      (_, response) => response.writeHead(302, { location: 'https://login.example' }).end() && true,
      (_, response) => json(response, 400, { message: 'x' }),
    ];
    for (const [i, intercept] of others.entries()) {
      front.intercept = intercept;
      const error = await failure(client(front.url).schema(id));
      assert.equal(error.code, 'REGISTRY_FAILED', String(i));
      assert.equal(error.retryable, false);
      assert.equal((await failure(client(front.url).idOf(subject, NOTE_SCHEMA))).code, 'REGISTRY_FAILED', String(i));
    }
  });

  it('may know a schema a moment later: an unknown id is asked for twice, and believed for some seconds only', async () => {
    let now = 0;
    const registry = client(front.url, { now: () => now });
    const unknown = (): Promise<void> =>
      assert.rejects(
        registry.schema(id),
        (error: unknown) => error instanceof DecodeError && error.code === 'SCHEMA_UNKNOWN',
      );
    front.intercept = (_, response) => json(response, 404, MISSING);
    await unknown();
    await unknown();
    assert.equal(front.asked.length, 2);
    front.intercept = () => false;
    now = 4_999;
    await unknown();
    now = 5_000;
    await registry.schema(id);
    assert.equal(front.asked.length, 3);

    let late = true;
    front.intercept = (_, response) => {
      const missing = late && json(response, 404, MISSING);
      late = false;
      return missing;
    };
    await client(front.url).schema(id);
  });

  it('is not asked for ids that no schema has', async () => {
    for (const none of [0, 2 ** 31, 2 ** 32 - 1]) {
      await assert.rejects(client(front.url).schema(none), { code: 'SCHEMA_UNKNOWN' });
    }
    assert.deepEqual(front.asked, []);
  });

  it('takes a user with a password, and says so without showing it when it takes neither', async () => {
    const right = `Basic ${Buffer.from(`me:${PASSWORD}`, 'utf8').toString('base64')}`;
    front.intercept = (request, response) => request.headers.authorization !== right && json(response, 401, {});
    const auth = { username: 'me', password: PASSWORD };
    await client(front.url, { auth }).schema(id);
    await client(front.url, { auth }).subjects.check(subject, NOTE_SCHEMA);
    for (const wrong of [client(front.url), client(front.url, { auth: { ...auth, password: `${PASSWORD}!` } })]) {
      for (const ask of [
        () => wrong.schema(id),
        () => wrong.idOf(subject, NOTE_SCHEMA),
        () => wrong.subjects.check(subject, NOTE_SCHEMA),
      ]) {
        const error = await failure(ask());
        assert.equal(error.code, 'REGISTRY_DENIED');
        assert.equal(error.retryable, false);
      }
    }
    front.intercept = (request, response) => json(response, 403, { echo: request.headers.authorization });
    assert.equal((await failure(client(front.url, { auth }).schema(id))).code, 'REGISTRY_DENIED');
  });

  it('may have a certificate of the house, and one that is not trusted is refused', async () => {
    const folder = temporaryFolder('registry-tls');
    for (const { program, args } of certificateCommands(folder)) {
      assert.equal(spawnSync(program, args, { cwd: folder }).status, 0);
    }
    const server = readFileSync(join(folder, 'server.pem'), 'utf8');
    const secure = await startFront(url, { key: server, cert: server });
    try {
      await client(secure.url, { ca: readFileSync(join(folder, 'ca.pem'), 'utf8') }).schema(id);
      for (const changes of [{}, { ca: readFileSync(join(folder, 'other-ca.pem'), 'utf8') }]) {
        const error = await failure(client(secure.url, changes).schema(id));
        assert.equal(error.code, 'REGISTRY_UNREACHABLE');
        assert.match(error.message, /certificate/);
      }
    } finally {
      await secure.close();
    }
  });

  it('registers when it is told to, once for all who ask, and only what it would take', async () => {
    const topic = freshTopic('auto');
    const registry = client(front.url, { autoRegister: true });
    const ids = await Promise.all([1, 2, 3].map(() => registry.idOf(valueSubject(topic), NOTE_SCHEMA)));
    assert.equal(new Set(ids).size, 1);
    assert.equal(front.asked.filter(each => each === `POST /subjects/${valueSubject(topic)}/versions`).length, 1);

    const incompatible: AvroRecord = {
      ...NOTE_SCHEMA,
      fields: [...NOTE_SCHEMA.fields, { name: 'required', type: 'string' }],
    };
    const refused = await failure(registry.idOf(valueSubject(topic), incompatible));
    assert.equal(refused.code, 'SCHEMA_INCOMPATIBLE');
    assert.match(refused.message, /required/);
  });
});

describe('the library of the schema registry', () => {
  it('is not loaded by those who do not use it', () => {
    const source = `
      await import(${JSON.stringify(join(import.meta.dirname, '../../src/commands/register.ts'))});
      const { createRequire } = await import('node:module');
      console.log(Object.keys(createRequire(import.meta.url).cache).filter(name => /confluent-schema-registry|protobufjs/.test(name)).length);`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });
    assert.equal(stdout.trim(), '0', stderr);
  });
});
