/** If these fail, a deploy registers a schema with which notes on the topic can no longer be read, or changes somebody's rules. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { valueSubject } from '../../src/events/confluent.ts';
import { RegistryError } from '../../src/events/registry-error.ts';
import type { RegistrySubjects } from '../../src/events/registry-subjects.ts';
import { type AvroField, type AvroRecord, NOTE_SCHEMA } from '../../src/events/schemas.ts';
import { kafkaNeeds } from '../kafka/needs.ts';
import { sharedKafka } from '../kafka/shared.ts';
import { client, freshTopic } from './front.ts';

const { skip } = kafkaNeeds();

const plus = (...fields: readonly AvroField[]): AvroRecord => ({
  ...NOTE_SCHEMA,
  fields: [...NOTE_SCHEMA.fields, ...fields],
});
const OPTIONAL = plus({ name: 'language', type: ['null', 'string'], default: null });
const REQUIRED = plus({ name: 'language', type: 'string' });

describe('subjects of the registry', { skip, timeout: 120_000 }, () => {
  let url: string;
  let subjects: RegistrySubjects;
  before(async () => {
    ({ registryUrl: url } = await sharedKafka());
    ({ subjects } = client(url));
  });

  async function api(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return response.json();
  }
  const rule = async (subject: string): Promise<unknown> =>
    ((await api('GET', `/config/${subject}`)) as { compatibilityLevel?: unknown }).compatibilityLevel;
  const refused = (subject: string, schema: AvroRecord, words: RegExp): Promise<void> =>
    assert.rejects(subjects.register(subject, schema), (error: unknown) => {
      assert.ok(error instanceof RegistryError);
      assert.equal(error.code, 'SCHEMA_INCOMPATIBLE');
      assert.equal(error.retryable, false);
      assert.match(error.message, words);
      return true;
    });

  it('go from new to same to compatible, and registering twice changes nothing', async () => {
    const subject = valueSubject(freshTopic('life'));
    assert.deepEqual(await subjects.check(subject, NOTE_SCHEMA), { kind: 'new' });
    const first = await subjects.register(subject, NOTE_SCHEMA);
    assert.equal(first.version, 1);
    assert.deepEqual(await subjects.register(subject, NOTE_SCHEMA), first);
    assert.deepEqual(await subjects.check(subject, NOTE_SCHEMA), { kind: 'same', registered: first, latest: 1 });
    assert.deepEqual(await subjects.check(subject, OPTIONAL), { kind: 'compatible', latest: 1 });
    assert.equal((await subjects.register(subject, OPTIONAL)).version, 2);
    assert.deepEqual(await subjects.check(subject, NOTE_SCHEMA), { kind: 'same', registered: first, latest: 2 });
    assert.equal(await rule(subject), 'BACKWARD');
  });

  it('refuse what could not read them, with the field, and hold nothing new then', async () => {
    const subject = valueSubject(freshTopic('refusal'));
    await subjects.register(subject, NOTE_SCHEMA);
    const verdict = await subjects.check(subject, REQUIRED);
    assert.equal(verdict.kind, 'incompatible');
    assert.match(verdict.reasons.join(), /NoteEvent\.language/);
    await refused(subject, REQUIRED, /language/);
    assert.deepEqual(await api('GET', `/subjects/${subject}/versions`), [1]);
  });

  it('refuse it under the rule NONE too, with which the registry would take anything', async () => {
    const subject = valueSubject(freshTopic('none'));
    await subjects.register(subject, NOTE_SCHEMA);
    await api('PUT', `/config/${subject}`, { compatibility: 'NONE' });
    assert.equal((await subjects.check(subject, REQUIRED)).kind, 'incompatible');
    await refused(subject, REQUIRED, /language/);
    await subjects.register(subject, NOTE_SCHEMA);
    assert.equal(await rule(subject), 'BACKWARD');
  });

  it('keep a stricter rule, and refuse what only that forbids', async () => {
    const subject = valueSubject(freshTopic('full'));
    await subjects.register(subject, NOTE_SCHEMA);
    await api('PUT', `/config/${subject}`, { compatibility: 'FULL' });
    assert.equal((await subjects.register(subject, OPTIONAL)).version, 2);
    assert.equal(await rule(subject), 'FULL');
    // BACKWARD alone would allow a field less; who reads with the old schema would miss it
    const less = { ...NOTE_SCHEMA, fields: NOTE_SCHEMA.fields.filter(field => field.name !== 'text') };
    assert.equal((await subjects.check(subject, less)).kind, 'incompatible');
    await refused(subject, less, /rule/);
  });

  it('are not compared with a schema that is not Avro', async () => {
    const subject = valueSubject(freshTopic('json'));
    await api('POST', `/subjects/${subject}/versions`, {
      schemaType: 'JSON',
      schema: '{"type":"object","properties":{"a":{"type":"string"}}}',
    });
    const verdict = await subjects.check(subject, NOTE_SCHEMA);
    assert.equal(verdict.kind, 'incompatible');
    assert.match(verdict.reasons.join(), /not one of Avro/);
  });
});
