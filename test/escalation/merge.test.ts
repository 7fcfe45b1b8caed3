/** If these fail, a revision holds words that are not in the note, or a teacher overrules the student where nobody asked it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { merge } from '../../src/escalation/merge.ts';
import type { EntityMention } from '../../src/events/generated.ts';
import { CodePointIndex } from '../../src/text/code-points.ts';
import { noteOf } from './scripted.ts';

const BELIEF = { precision: 0.8, f1: 0.7 };

function mentionOf(task: string, start: number, end: number, text: string): EntityMention {
  return { task, start, end, text, confidence: 0.9, source: 'student', section: null, assertion: null, codes: [] };
}

describe('merging', () => {
  it('puts the teacher in the place of the student in its tasks, and nowhere else', () => {
    const note = noteOf(1, { text: 'aspirin 💊 fever, headache' });
    const entities = [mentionOf('medication', 0, 7, 'aspirin'), mentionOf('symptom', 10, 15, 'fever')];
    const tasks = ['medication', 'symptom'].map(task => ({ task, confidence: 0.4, decidedBy: 'student' }));
    const codes = [{ system: 'SNOMEDCT', code: '25064002', display: 'Headache' }];
    const merged = merge({ note, tasks, entities }, [
      { task: 'symptom', teacher: 't', mentions: [{ start: 17, end: 25, codes }], belief: BELIEF },
    ]);
    assert.deepEqual(merged.entities, [
      entities[0],
      { task: 'symptom', start: 17, end: 25, text: 'headache', confidence: 0.8, source: 'teacher:t', codes },
    ]);
    assert.deepEqual(merged.tasks, [tasks[0], { task: 'symptom', confidence: 0.7, decidedBy: 'teacher:t' }]);
  });

  it('adds a task that the student does not know', () => {
    const merged = merge({ note: noteOf(1), tasks: [], entities: [] }, [
      { task: 'allergy', teacher: 't', mentions: [], belief: BELIEF },
    ]);
    assert.deepEqual(merged.tasks, [{ task: 'allergy', confidence: 0.7, decidedBy: 'teacher:t' }]);
  });

  it('cuts every mention from the note, in text order, whatever stands in it', () => {
    const cases = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
      .filter(text => text.isWellFormed())
      .chain(text => {
        const { length } = new CodePointIndex(text);
        const span = fc
          .tuple(fc.nat(length - 1), fc.nat(length - 1))
          .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) + 1 }));
        return fc.record({ text: fc.constant(text), mine: fc.array(span), theirs: fc.array(span) });
      });
    fc.assert(
      fc.property(cases, ({ text, mine, theirs }) => {
        const index = new CodePointIndex(text);
        const entities = mine.map(({ start, end }) => mentionOf('medication', start, end, index.slice(start, end)));
        const { entities: merged } = merge({ note: noteOf(1, { text }), tasks: [], entities }, [
          { task: 'symptom', teacher: 't', mentions: theirs, belief: BELIEF },
        ]);
        assert.equal(merged.length, mine.length + theirs.length);
        for (const each of merged) assert.equal(index.slice(each.start, each.end), each.text);
        for (const [i, each] of merged.entries()) assert.ok(i === 0 || (merged[i - 1]?.start ?? 0) <= each.start);
      }),
    );
  });
});
