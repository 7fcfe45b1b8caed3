/** If these fail, a refused record is lost or changed, or its reason is, or its text leaks into a header. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClinstreamError } from '../../src/core/errors.ts';
import type { OutgoingRecord, StreamRecord } from '../../src/core/record.ts';
import { DecodeError } from '../../src/events/codec.ts';
import { deadLetter, deadLetterReason, replay } from '../../src/events/dead-letter.ts';
import { CANARY, record } from './example.ts';

class RefusedByGate extends ClinstreamError<'NOTE_LOOKS_IDENTIFIED'> {
  readonly stage = 'privacy';
}

const NOT_AVRO = new DecodeError('NOT_AVRO', 'not Avro', { details: { categories: 'ignored' } });
const OPTIONS = { topic: 'clinical.dead-letters', attempts: 2 };
const INPUT = record(Buffer.from(CANARY), {
  headers: { ce_id: Buffer.from('1'), odd: Buffer.from([0xff, 0x00]), dl_code: Buffer.from('stale') },
});

/** What a consumer of the dead-letter topic reads. */
const arrived = (sent: OutgoingRecord): StreamRecord =>
  record(sent.value, { topic: sent.topic, partition: 0, offset: 5n, key: sent.key, headers: sent.headers });

describe('a dead letter', () => {
  it('keeps key, bytes and headers, and says why, where and how often in headers', () => {
    const sent = deadLetter(INPUT, NOT_AVRO, OPTIONS);
    assert.equal(sent.topic, 'clinical.dead-letters');
    assert.equal(sent.key, INPUT.key);
    assert.equal(sent.value, INPUT.value);
    assert.deepEqual(sent.headers, {
      ce_id: Buffer.from('1'),
      odd: Buffer.from([0xff, 0x00]),
      dl_stage: Buffer.from('decode'),
      dl_code: Buffer.from('NOT_AVRO'),
      dl_topic: Buffer.from('clinical.notes'),
      dl_partition: Buffer.from('3'),
      dl_offset: Buffer.from('9007199254740993'),
      dl_attempts: Buffer.from('2'),
    });
  });

  it('keeps a record without key and without value', () => {
    const sent = deadLetter(record(null, { key: null }), NOT_AVRO, OPTIONS);
    assert.equal(sent.key, null);
    assert.equal(sent.value, null);
  });

  it('names the categories that the privacy gate found, never the text', () => {
    const error = new RefusedByGate('NOTE_LOOKS_IDENTIFIED', 'seems to hold identifiers', {
      details: { categories: 'email,phone' },
      cause: new Error(CANARY),
    });
    const sent = deadLetter(INPUT, error, OPTIONS);
    assert.deepEqual(deadLetterReason(sent)?.categories, ['email', 'phone']);
    const shown = Object.values(sent.headers).map(value => value.toString('utf8'));
    assert.ok(!shown.join('\n').includes(CANARY));
  });

  it('gives its reason back', () => {
    assert.deepEqual(deadLetterReason(deadLetter(INPUT, NOT_AVRO, OPTIONS)), {
      stage: 'decode',
      code: 'NOT_AVRO',
      topic: 'clinical.notes',
      partition: 3,
      offset: 9_007_199_254_740_993n,
      attempts: 2,
      categories: [],
      replays: 0,
    });
  });

  it('is recognised by whole headers only', () => {
    assert.equal(deadLetterReason(record(null)), undefined);
    const { headers } = deadLetter(INPUT, NOT_AVRO, OPTIONS);
    for (const name of ['dl_stage', 'dl_code', 'dl_topic', 'dl_partition', 'dl_offset', 'dl_attempts']) {
      const { [name]: _, ...rest } = headers;
      assert.equal(deadLetterReason({ headers: rest }), undefined, name);
    }
    assert.equal(deadLetterReason({ headers: { ...headers, dl_offset: Buffer.from('-1') } }), undefined);
  });
});

describe('a replay', () => {
  it('sends the record back as it was, and counts', () => {
    const again = replay(arrived(deadLetter(INPUT, NOT_AVRO, OPTIONS)));
    assert.deepEqual(again, {
      topic: 'clinical.notes',
      key: INPUT.key,
      value: INPUT.value,
      headers: { ce_id: Buffer.from('1'), odd: Buffer.from([0xff, 0x00]), dl_replays: Buffer.from('1') },
    });
  });

  it('keeps counting when the record is refused again', () => {
    const first = replay(arrived(deadLetter(INPUT, NOT_AVRO, OPTIONS)));
    assert.ok(first !== undefined);
    const refusedAgain = deadLetter({ ...INPUT, headers: first.headers }, NOT_AVRO, OPTIONS);
    assert.equal(deadLetterReason(refusedAgain)?.replays, 1);
    assert.deepEqual(replay(arrived(refusedAgain))?.headers.dl_replays, Buffer.from('2'));
  });

  it('without a key goes to the partition that it came from', () => {
    const again = replay(arrived(deadLetter(record(null, { key: null }), NOT_AVRO, OPTIONS)));
    assert.equal(again?.partition, 3);
  });

  it('is refused for a record that is no dead letter', () => {
    assert.equal(replay(record(null)), undefined);
  });
});
