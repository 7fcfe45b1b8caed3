/** If this fails, a restarted shadow would count notes twice, or its list of notes to look at would depend on luck. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compareNote, type Side } from '../../../src/distill/shadow/compare.ts';
import { OTHER_TYPES, type Outcome, ShadowLedger } from '../../../src/distill/shadow/ledger.ts';
import { figuresOf, renderShadow } from '../../../src/distill/shadow/report.ts';
import { stateSchema } from '../../../src/distill/shadow/state.ts';

/** Words of one letter, a space between two. */
function wordsOf(count: number) {
  const starts = Int32Array.from({ length: count }, (_, i) => 2 * i);
  return { count, starts, ends: starts.map(start => start + 1) };
}

function side(marked: readonly number[], confidence: number, escalates?: boolean): Side {
  return {
    entities: marked.map(at => ({ task: 'symptom', start: 2 * at, end: 2 * at + 1, text: 'x', confidence })),
    tasks: [{ task: 'symptom', confidence }],
    escalates: new Map(escalates === undefined ? [] : [['symptom', escalates]]),
  };
}

function noteOf(noteId: string, first: readonly number[], second: readonly number[], noteType = 'visit'): Outcome {
  const tasks = compareNote(wordsOf(10), side(first, 0.75, first.length > 2), side(second, 0.5, second.length > 2));
  return { kind: 'compared', noteId, noteVersion: 1, noteType, words: 10, tasks };
}

const marks = fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { maxLength: 5 });
const records = fc.array(
  fc.record({ partition: fc.integer({ min: 0, max: 2 }), first: marks, second: marks, refused: fc.boolean() }),
  { maxLength: 12 },
);

describe('a comparison', () => {
  it('tells words and mentions of both, of the serving model and of the candidate apart', () => {
    const serving: Side = {
      ...side([], 0.9, true),
      entities: [
        { task: 'symptom', start: 0, end: 3, text: 'a b', confidence: 1 },
        { task: 'symptom', start: 8, end: 9, text: 'e', confidence: 1 },
        { task: 'other', start: 4, end: 5, text: 'c', confidence: 1 },
      ],
    };
    const candidate: Side = {
      ...side([], 0.8, false),
      entities: [
        { task: 'symptom', start: 0, end: 1, text: 'a', confidence: 1 },
        { task: 'symptom', start: 8, end: 9, text: 'e', confidence: 1 },
        { task: 'symptom', start: 12, end: 13, text: 'g', confidence: 1 },
      ],
    };
    const [[task, found] = []] = compareNote(wordsOf(10), serving, candidate);
    assert.equal(task, 'symptom');
    assert.deepEqual(found, {
      words: { both: 2, onlyFirst: 1, onlySecond: 1, neither: 6 },
      exact: { both: 1, onlyFirst: 1, onlySecond: 2 },
      relaxed: { both: 2, onlyFirst: 0, onlySecond: 1 },
      confidence: { serving: 0.9, candidate: 0.8 },
      escalates: { serving: true, candidate: false },
    });
  });

  it('leaves out a task that one of them has not', () => {
    assert.equal(compareNote(wordsOf(3), side([1], 1), { ...side([1], 1), tasks: [] }).size, 0);
  });
});

describe('a shadow’s ledger', () => {
  it('counts the same whatever mixes, repeats and interrupts its records', () => {
    fc.assert(
      fc.property(records, fc.integer({ min: 0, max: 12 }), (all, stop) => {
        const offsets = [0n, 0n, 0n];
        const placed = all.map(({ partition, first, second, refused }, i) => {
          const offset = offsets[partition] as bigint;
          offsets[partition] = offset + 2n; // a marker of a transaction stands between two records
          const outcome: Outcome = refused ? { kind: 'refused', code: 'NOT_AVRO' } : noteOf(`n${i}`, first, second);
          return { partition, offset, outcome };
        });
        const straight = new ShadowLedger(3);
        for (const { partition, offset, outcome } of placed) straight.add(partition, offset, outcome);

        const mixed = placed.toSorted((a, b) => a.partition - b.partition);
        let broken = new ShadowLedger(3);
        for (const { partition, offset, outcome } of mixed.slice(0, stop)) broken.add(partition, offset, outcome);
        broken = new ShadowLedger(3, stateSchema.parse(JSON.parse(JSON.stringify(broken.state()))));
        // everything comes again
        for (const { partition, offset, outcome } of mixed) broken.add(partition, offset, outcome);
        assert.deepEqual(sorted(broken.state()), sorted(straight.state()));
        assert.deepEqual(figuresOf(broken), figuresOf(straight));
        assert.equal(straight.read, all.length);
      }),
    );
  });

  it('lists the notes that differ most, none that does not, and no more than it may', () => {
    const ledger = new ShadowLedger(2);
    const notes = [
      noteOf('same', [1, 2], [1, 2]),
      noteOf('one', [1], []),
      noteOf('three', [1, 2], [3]),
      noteOf('two', [1], [2]),
    ];
    for (const [i, note] of notes.entries()) ledger.add(0, BigInt(i), note);
    assert.deepEqual(
      ledger.mostApart.map(({ noteId, apart, tasks }) => [noteId, apart, tasks.symptom]),
      [
        ['three', 3, { both: 0, onlyFirst: 2, onlySecond: 1 }],
        ['two', 2, { both: 0, onlyFirst: 1, onlySecond: 1 }],
      ],
    );
    const none = new ShadowLedger(0);
    none.add(0, 0n, noteOf('one', [1], []));
    assert.deepEqual([none.mostApart, none.compared], [[], 1]);
  });

  it('keeps figures by type, of so many types at most', () => {
    const ledger = new ShadowLedger(1);
    for (let i = 0; i < 100; i++) ledger.add(0, BigInt(i), noteOf(`n${i}`, [1], [], `type-${i}`));
    const { types } = figuresOf(ledger);
    assert.ok(Object.keys(types).length < 50);
    assert.equal(types[OTHER_TYPES]?.notes, 100 - (Object.keys(types).length - 1));
  });

  it('makes a page of it, also of nothing, that a sender’s ids cannot break', () => {
    const names = { serving: 'old', candidate: 'new' };
    assert.match(renderShadow(figuresOf(new ShadowLedger(1)), names), /^0 notes read, 0 compared\.$/m);
    const ledger = new ShadowLedger(5);
    ledger.add(0, 0n, noteOf('a|b\nc', [1, 2, 3], [1, 2]));
    ledger.add(0, 1n, { kind: 'refused', code: 'NOTE_NOT_ATTESTED' });
    ledger.add(0, 2n, { kind: 'unanswered', by: 'candidate', code: 'BATCH_FAILED' });
    ledger.ran('serving', 100, 50);
    ledger.ran('candidate', 100, 100);
    const page = renderShadow(figuresOf(ledger), names);
    assert.match(
      page,
      /^3 notes read, 1 compared; 1 × refused, NOTE_NOT_ATTESTED; 1 × the candidate had no answer, BATCH_FAILED\.$/m,
    );
    assert.match(
      page,
      /^\| symptom \| \.800 \[\.800, \.800\] \| \.737 \[.*\] \| \.750 → \.500 \| 100\.0 % → 0\.0 % \| 100\.0 % \|$/m,
    );
    assert.match(page, /tokens\/s: 0\.50 \(measured under load/);
    assert.match(page, /^\| a b c \| 1 \| visit \| 1 \| 10 \|$/m);
  });
});

/** Whatever the order in which partitions, tasks and types came up. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}
