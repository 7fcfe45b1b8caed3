/** If these fail, a note that no teacher could decide is lost from sight, or a person is told something else than happened. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { textSha256 } from '../../src/events/identity.ts';
import {
  createReviewCodec,
  gravest,
  REVIEW_EVENT_TYPE,
  REVIEW_REASONS,
  type ReviewOfNote,
  reviewEvent,
} from '../../src/events/review-event.ts';
import { REVIEW_SCHEMA } from '../../src/events/schemas.ts';
import { CANARY, ENTITIES, NOTE, REVIEW } from './example.ts';

/** REVIEW, field by field. */
const GOLDEN = [
  'c301d5e25840a065091a',
  '4830303030303030302d303030302d383030302d383030302d303030303030303030303032',
  '0c6e6f74652d310404',
  '1270617469656e742d37001070726f6772657373d00f',
  `8001${'6162'.repeat(32)}`,
  `0a6e6f74657302318001${'6364'.repeat(32)}`,
  '0e544f4f5f4f4c44',
  '02146d656469636174696f6e0e544f4f5f4f4c44040a66697273740c7365636f6e640000',
  '000000000000d03f',
  'f02ec03e',
].join('');

const OF: ReviewOfNote = {
  note: NOTE,
  model: ENTITIES.model,
  revision: 1,
  tasks: [
    { task: 'symptom', reason: 'REPLY_UNUSABLE', teachers: ['a'] },
    { task: 'medication', reason: 'BUDGET_SPENT', teachers: ['a', 'b'] },
  ],
  usd: 0.5,
  escalatedAt: 1,
  at: 2,
};
const codec = createReviewCodec();

describe('a review', () => {
  it('stands on the wire as it always did', async () => {
    assert.equal((await codec.encode(REVIEW)).toString('hex'), GOLDEN);
    assert.deepEqual(await codec.decode(Buffer.from(GOLDEN, 'hex')), REVIEW);
    assert.equal(REVIEW_EVENT_TYPE, 'clinstream.v1.ReviewEvent');
  });

  it('leads to the note and says why, without its text', async () => {
    const value = await codec.encode(reviewEvent(OF));
    assert.ok(!value.includes(CANARY));
    const event = await codec.decode(value);
    assert.deepEqual([event.noteId, event.noteVersion, event.textSha256], ['note-1', 2, textSha256(NOTE.text)]);
    assert.deepEqual([event.reason, event.tasks, event.usd], ['BUDGET_SPENT', OF.tasks, 0.5]);
  });

  it('has the same id whenever it is given up', () => {
    assert.equal(reviewEvent({ ...OF, at: 99, tasks: OF.tasks.slice(1) }).eventId, reviewEvent(OF).eventId);
    assert.notEqual(reviewEvent({ ...OF, revision: 2 }).eventId, reviewEvent(OF).eventId);
  });

  it('has reasons that its schema explains, each', () => {
    const doc = JSON.stringify(REVIEW_SCHEMA);
    for (const reason of REVIEW_REASONS) {
      assert.ok(doc.includes(reason), reason);
      assert.equal(gravest([reason]), reason);
    }
    assert.throws(() => gravest([]), TypeError);
  });
});
