/** Topics of a test's own on the shared broker, and the commands on them. */
import assert from 'node:assert/strict';
import { sharedKafka } from '../kafka/shared.ts';
import { clinstream } from '../support/cli.ts';
import type { Place } from './way-of-a-note.ts';

let places = 0;

export async function freshKafka(registered = true): Promise<Place & { readonly env: NodeJS.ProcessEnv }> {
  const { bootstrap, registryUrl } = await sharedKafka();
  const scope = `cli-${process.pid}-${places++}`;
  const names = {
    notes: `${scope}.notes`,
    entities: `${scope}.entities`,
    deadLetters: `${scope}.dead-letters`,
    escalations: `${scope}.escalations`,
    review: `${scope}.review`,
    group: `${scope}.tagger`,
  };
  const env = {
    CLINSTREAM_TRANSPORT: 'kafka',
    CLINSTREAM_KAFKA_BROKERS: bootstrap,
    CLINSTREAM_REGISTRY_URL: registryUrl,
    CLINSTREAM_TOPICS_NOTES: names.notes,
    CLINSTREAM_TOPICS_ENTITIES: names.entities,
    CLINSTREAM_TOPICS_DEAD_LETTERS: names.deadLetters,
    CLINSTREAM_TOPICS_ESCALATIONS: names.escalations,
    CLINSTREAM_TOPICS_REVIEW: names.review,
    CLINSTREAM_STREAM_GROUP: names.group,
  };
  const call: Place['call'] = (args, input = '') => clinstream(args, { input, env });
  assert.equal((await call(['topics', 'create'])).code, 0);
  if (registered) assert.equal((await call(['schemas', 'register'])).code, 0);
  return { names, call, env };
}
