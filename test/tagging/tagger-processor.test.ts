/** If this fails, a note would end in the wrong place: lost, acknowledged unread, or published under another id each time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fact } from '../../src/core/facts.ts';
import type { Note } from '../../src/core/note.ts';
import { headerText, type OutgoingRecord, type StreamRecord } from '../../src/core/record.ts';
import { deadLetterReason } from '../../src/events/dead-letter.ts';
import { createEntitiesCodec } from '../../src/events/entities-event.ts';
import { createEscalationCodec } from '../../src/events/escalation-event.ts';
import { createNoteCodec } from '../../src/events/note-event.ts';
import { createReviewCodec } from '../../src/events/review-event.ts';
import { ModelError } from '../../src/model/model-error.ts';
import type { Tagged } from '../../src/tagging/tagger.ts';
import { type Escalation, TaggerProcessor } from '../../src/tagging/tagger-processor.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { EvidenceGatherer } from '../../src/text/evidence.ts';

const NOTE: Note = {
  noteId: 'n-1',
  noteVersion: 3,
  patientId: 'p-1',
  encounterId: 'e-1',
  noteType: 'progress',
  authoredAt: 1000,
  specialty: null,
  source: 'test',
  text: 'Takes aspirin.',
  deidentification: { method: 'synthetic', version: '1' },
};
const TAGGED: Tagged = {
  entities: [{ task: 'medication', start: 6, end: 13, text: 'aspirin', confidence: 0.9 }],
  tasks: [{ task: 'medication', confidence: 0.8, evidence: new EvidenceGatherer().evidence() }],
  tokens: 3,
  windows: 1,
  stageMs: { tokenize: 1, infer: 2, assemble: 3 },
};
const notes = createNoteCodec();
const entities = createEntitiesCodec();
const escalations = createEscalationCodec();
const DOUBTS = [{ task: 'medication', score: 'expected-errors', value: 2, threshold: 1 }];
const escalating = (): Escalation => ({
  doubts: tagged => {
    assert.equal(tagged, TAGGED, 'the router sees what the tagger said');
    return DOUBTS;
  },
  escalations,
  reviews: createReviewCodec(),
  topics: { escalations: 'doubtful', review: 'review' },
  maxBytes: 1_000_000,
});
const live = new AbortController().signal;

async function record(note: Note = NOTE): Promise<StreamRecord> {
  const traceparent = Buffer.from('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
  return {
    topic: 'notes',
    partition: 2,
    offset: 7n,
    timestamp: 5,
    key: Buffer.from('p-1'),
    value: await notes.encode(note),
    headers: { traceparent },
  };
}

/** @param answer of the model; the rest of the way is real. */
function processor(
  answer: () => Promise<Tagged>,
  now = 2000,
  escalation?: Escalation,
  maxEntitiesBytes = 1_000_000,
): { process: (input: StreamRecord) => Promise<readonly OutgoingRecord[]>; facts: Fact[] } {
  const facts: Fact[] = [];
  const real = new TaggerProcessor({
    tagger: { tag: answer },
    model: { name: 'm', version: '1', sha256: 'abc' },
    notes,
    entities,
    topics: { entities: 'out', deadLetters: 'dead' },
    maxEntitiesBytes,
    ...(escalation === undefined ? {} : { escalation }),
    now: () => now,
    observe: fact => facts.push(fact),
  });
  return { process: input => real.process(input, live), facts };
}

describe('tagger processor', () => {
  it('makes one entities event, keyed by patient, in the trace of its note', async () => {
    const { process, facts } = processor(async () => TAGGED);
    const [output, ...more] = await process(await record());
    assert.deepEqual([more, output?.topic, String(output?.key)], [[], 'out', 'p-1']);
    const event = await entities.decode(output?.value ?? null);
    assert.deepEqual(
      [event.noteId, event.noteVersion, event.revision, event.status, event.taggedAt, event.offsetUnit],
      ['n-1', 3, 1, 'FINAL', 2000, 'unicode-code-point'],
    );
    assert.deepEqual(event.tasks, [{ task: 'medication', confidence: 0.8, decidedBy: 'student' }]);
    assert.equal(event.entities[0]?.text, 'aspirin');
    assert.match(headerText(output?.headers ?? {}, 'traceparent') ?? '', /^00-0af7651916cd43dd8448eb211c80319c-/);
    assert.deepEqual(
      facts.map(fact => fact.kind),
      ['note.tagged'],
    );
  });

  it('publishes a doubtful note as provisional, with an escalation beside it in the same trace', async () => {
    const { process, facts } = processor(async () => TAGGED, 2000, escalating());
    const input = await record();
    const [output, escalation, ...more] = await process(input);
    assert.deepEqual([more, output?.topic, escalation?.topic, String(escalation?.key)], [[], 'out', 'doubtful', 'p-1']);
    const event = await entities.decode(output?.value ?? null);
    assert.deepEqual([event.status, event.revision], ['PROVISIONAL', 1]);
    const escalated = await escalations.decode(escalation?.value ?? null);
    assert.deepEqual(escalated.note, NOTE);
    assert.deepEqual(
      [escalated.entities, escalated.tasks, escalated.model, escalated.revision, escalated.escalatedAt],
      [event.entities, event.tasks, event.model, 1, 2000],
    );
    assert.deepEqual(escalated.doubts, DOUBTS);
    for (const each of [output, escalation])
      assert.match(headerText(each?.headers ?? {}, 'traceparent') ?? '', /^00-0af7651916cd43dd8448eb211c80319c-/);
    assert.equal(headerText(escalation?.headers ?? {}, 'ce_type'), 'clinstream.v1.EscalationEvent');
    assert.deepEqual(facts.at(-1), { kind: 'note.escalated', noteId: 'n-1', tasks: ['medication'] });
  });

  it('counts notes and not their tasks, so that the escalator’s count adds up with it', async () => {
    const tasks = ['medication', 'disease', 'symptom'];
    const doubts = () => tasks.map(task => ({ task, score: 'expected-errors', value: 2, threshold: 1 }));
    const { registry, observe } = createTelemetry({ log: { level: 'silent' } });
    const { process, facts } = processor(async () => TAGGED, 2000, { ...escalating(), doubts });
    const outputs: OutgoingRecord[] = [];
    for (const text of ['Takes aspirin.', 'Takes none.'])
      outputs.push(...(await process(await record({ ...NOTE, text }))));
    const large = processor(async () => TAGGED, 2000, { ...escalating(), doubts, maxBytes: 1 });
    outputs.push(...(await large.process(await record())));
    for (const fact of [...facts, ...large.facts]) observe(fact);
    const counted = (await registry.metrics()).match(/^clinstream_(notes|doubts)_.*\d$/gm);
    const on = (topic: string): number => outputs.filter(each => each.topic === topic).length;
    assert.deepEqual([on('doubtful'), on('review')], [2, 1]);
    assert.deepEqual(counted?.sort(), [
      'clinstream_doubts_escalated_total{task="disease"} 2',
      'clinstream_doubts_escalated_total{task="medication"} 2',
      'clinstream_doubts_escalated_total{task="symptom"} 2',
      'clinstream_notes_escalated_total 2',
      'clinstream_notes_too_large_total 1',
      'clinstream_notes_total 3',
    ]);
  });

  it('publishes a note without doubts as final, and alone', async () => {
    const { process, facts } = processor(async () => TAGGED, 2000, { ...escalating(), doubts: () => [] });
    const [output, ...more] = await process(await record());
    assert.deepEqual([more, (await entities.decode(output?.value ?? null)).status], [[], 'FINAL']);
    assert.ok(facts.every(fact => fact.kind !== 'note.escalated'));
  });

  it('sends a doubtful note that no topic could carry to review', async () => {
    const size =
      (await processor(async () => TAGGED, 2000, escalating()).process(await record()))[1]?.value?.length ?? 0;
    const { process, facts } = processor(async () => TAGGED, 2000, { ...escalating(), maxBytes: size - 1 });
    const [output, review] = await process(await record());
    assert.equal((await entities.decode(output?.value ?? null)).status, 'PROVISIONAL');
    const event = await createReviewCodec().decode(review?.value ?? null);
    assert.deepEqual([review?.topic, event.reason, event.revision], ['review', 'TOO_LARGE', 1]);
    assert.deepEqual(
      facts.map(({ kind }) => kind),
      ['note.tagged', 'note.too-large'],
      'no escalation that the escalator would begin with',
    );
    assert.equal(
      (await processor(async () => TAGGED, 2000, { ...escalating(), maxBytes: size }).process(await record()))[1]
        ?.topic,
      'doubtful',
    );
  });

  it('gives the same note the same event id whenever it is tagged, and another version another', async () => {
    const idAt = async (now: number, note?: Note): Promise<string> => {
      const [output] = await processor(async () => TAGGED, now).process(await record(note));
      return (await entities.decode(output?.value ?? null)).eventId;
    };
    assert.equal(await idAt(1), await idAt(2));
    assert.notEqual(await idAt(1), await idAt(1, { ...NOTE, noteVersion: 4 }));
    assert.notEqual(await idAt(1), await idAt(1, { ...NOTE, text: 'Takes nothing.' }));
  });

  it('sends a note to the dead letters when its batch failed twice, and says how often it was tried', async () => {
    const { process, facts } = processor(async () => {
      throw new ModelError('BATCH_FAILED', 'failed 2 times');
    });
    const input = await record();
    const [letter] = await process(input);
    assert.ok(letter !== undefined);
    assert.deepEqual([letter.topic, letter.value], ['dead', input.value]);
    const reason = deadLetterReason(letter);
    assert.deepEqual([reason?.code, reason?.attempts, reason?.partition, reason?.offset], ['BATCH_FAILED', 2, 2, 7n]);
    assert.deepEqual(
      facts.map(fact => fact.kind),
      ['record.dead-lettered'],
    );
  });

  it('sends a note whose event no topic could carry to the dead letters, so that the partition goes on', async () => {
    const input = await record();
    const size = (await processor(async () => TAGGED).process(input))[0]?.value?.length ?? 0;
    const within = await processor(async () => TAGGED, 2000, undefined, size).process(input);
    assert.deepEqual(
      within.map(each => each.topic),
      ['out'],
    );
    for (const escalation of [undefined, escalating()]) {
      const { process, facts } = processor(
        async () => TAGGED,
        2000,
        escalation,
        escalation === undefined ? size - 1 : 1,
      );
      const [letter, ...more] = await process(input);
      assert.ok(letter !== undefined);
      assert.deepEqual([more, letter.topic, letter.value], [[], 'dead', input.value]);
      const reason = deadLetterReason(letter);
      assert.deepEqual([reason?.stage, reason?.code, reason?.attempts], ['tagging', 'ENTITIES_TOO_LARGE', 1]);
      assert.deepEqual(
        facts.map(fact => fact.kind),
        ['record.dead-lettered'],
        'neither tagged nor escalated',
      );
    }
  });

  it('acknowledges nothing when the machinery fails', async () => {
    for (const error of [
      new ModelError('WORKERS_LOST', 'gone'),
      new ModelError('POOL_STOPPED', 'stopping'),
      new Error('a fault of our own'),
    ]) {
      const { process, facts } = processor(() => Promise.reject(error));
      await assert.rejects(process(await record()), error);
      assert.deepEqual(facts, []);
    }
  });

  it('never shows the model a note that the gate refuses', async () => {
    const { process } = processor(() => Promise.reject(new Error('the model was asked')));
    for (const [note, code] of [
      [{ ...NOTE, deidentification: null }, 'NOTE_NOT_ATTESTED'],
      [{ ...NOTE, text: 'mail j@example.org' }, 'NOTE_LOOKS_IDENTIFIED'],
    ] as const) {
      const [letter] = await process(await record(note));
      assert.equal(letter === undefined ? undefined : deadLetterReason(letter)?.code, code);
    }
  });
});
