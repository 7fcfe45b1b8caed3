/** If these fail, the dictionary annotator marks wrong places or common words, finds far less than it did when measured, or holds up a start. */
import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { votesOn } from '../../src/distill/annotators.ts';
import { readCorpus } from '../../src/distill/corpus.ts';
import { ground } from '../../src/escalation/ground.ts';
import { scores, sum } from '../../src/evaluation/counts.ts';
import { tokenCounts } from '../../src/evaluation/token-scores.ts';
import { TextTokenizer } from '../../src/model/tokenizer.ts';
import { DictionaryTeacher } from '../../src/teachers/dictionary-teacher.ts';
import { MODEL_DIRECTORY } from '../support/model.ts';
import { gated } from './support.ts';

const teacher = new DictionaryTeacher();
const found = (text: string, task: string) => teacher.annotate(text, task).map(quote => quote.text);

/** Well below what was measured on these notes (ontologies/README.md has all of dev). */
const FLOORS = {
  medication: { precision: 0.86, f1: 0.8 },
  disease: { precision: 0.88, f1: 0.6 },
  symptom: { precision: 0.9, f1: 0.55 },
};

describe('dictionary teacher', () => {
  it('marks the longest names, whole words only, whatever the spacing, with their codes', () => {
    assert.deepEqual(found('On METOPROLOL\r\nsuccinate and aspirin; preaspirined.', 'medication'), [
      'METOPROLOL\r\nsuccinate',
      'aspirin',
    ]);
    assert.deepEqual(found('type 2 diabetes-mellitus, pneumonia', 'disease'), [
      'type 2 diabetes-mellitus',
      'pneumonia',
    ]);
    assert.deepEqual(found('has had headaches and a fever', 'symptom'), ['headaches', 'fever']);
    const [quote] = teacher.annotate('😀 Pneumonia', 'disease');
    assert.deepEqual(quote?.at, { start: 2, end: 11 });
    assert.equal(quote?.text, 'Pneumonia');
    assert.equal(quote?.codes?.[0]?.system, 'DOID');
    assert.match(quote?.codes?.[0]?.code ?? '', /^DOID:\d+$/);
  });

  it('joins no words of two lines of a list, two paragraphs or two sides of a dash', () => {
    for (const gap of ['\n\n', '\r\n\r\n', '\n- ', ' \u2014 ']) {
      assert.deepEqual(
        found(`- Metoprolol${gap}Succinate`, 'medication'),
        ['Metoprolol', 'Succinate'],
        JSON.stringify(gap),
      );
      const places = teacher.annotate(`😀 pneumonia${gap}PNEUMONIA`, 'disease').map(({ at }) => at);
      const second = 11 + gap.length;
      assert.deepEqual(places, [
        { start: 2, end: 11 },
        { start: second, end: second + 9 },
      ]);
    }
  });

  it('keeps its hands off common words and off abbreviations in lower case', () => {
    assert.deepEqual(found('took the lead, right side, all is stable, cut the suture', 'medication'), []);
    assert.deepEqual(found('right and left, all normal, acute on chronic', 'symptom'), []);
    assert.deepEqual(found('ALS or als', 'disease'), ['ALS']);
  });

  it('gives offsets that grounding verifies, in any text', () => {
    const words = [
      'aspirin',
      'Pneumonia',
      'chest pain',
      'seizures',
      '😀',
      'e\u0301',
      '\r\n',
      ' ',
      '-',
      'ﬁ',
      '患',
      'x',
      '\u200b',
      '\ud800',
    ];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...words), { maxLength: 25 }),
        fc.constantFrom(...teacher.tasks),
        (parts, task) => {
          const text = parts.join('');
          const quotes = teacher.annotate(text, task);
          const { placed, dropped, aligned } = ground(text, quotes);
          assert.deepEqual(dropped, []);
          assert.equal(aligned.exact, quotes.length);
          assert.deepEqual(
            placed.map(({ start, end }) => ({ start, end })),
            quotes.map(quote => quote.at),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is a teacher: one free request a note, with a key that tells text, task and dictionary apart', async () => {
    const request = (text: string, task: string) => teacher.plan(gated(text), task)[0];
    assert.deepEqual(teacher.plan(gated(''), 'disease'), []);
    assert.throws(() => teacher.plan(gated('x'), 'dosage'), RangeError);
    const one = request('😀 Pneumonia', 'disease');
    assert.ok(one !== undefined);
    assert.deepEqual(one.section, { start: 0, end: 11 });
    assert.deepEqual(one, request('😀 Pneumonia', 'disease'));
    assert.notDeepEqual(one.key, request('😀 Pneumonia', 'symptom')?.key);
    assert.notEqual(one.key.textSha256, request('Pneumonia', 'disease')?.key.textSha256);
    const { quotes, usage } = await teacher.ask(one, new AbortController().signal);
    assert.equal(quotes.length, 1);
    assert.deepEqual({ ...usage, ms: 0 }, { inputTokens: 0, outputTokens: 0, usd: 0, ms: 0 });
    assert.ok(usage.ms >= 0);
    await assert.rejects(teacher.ask(one, AbortSignal.abort()), { code: 'TEACHER_TIMEOUT' });
  });

  for (const [task, floor] of Object.entries(FLOORS)) {
    it(`${task}: is above its floors on dev notes`, async t => {
      const documents = readCorpus(resolve(import.meta.dirname, '../data'), 'quality/teacher-dev.jsonl', 'dev');
      const tokenizer = new TextTokenizer(join(MODEL_DIRECTORY, 'tokenizer.json'));
      const marked = documents.map(each => ({
        ...each,
        entities: teacher
          .annotate(each.text, task)
          .flatMap(({ at }) => (at === undefined ? [] : [{ ...at, type: task }])),
      }));
      const annotator = { name: 'dictionary', documents: new Map(marked.map(each => [each.id, each])) };
      const voted = await votesOn(tokenizer, documents, [annotator], new Map([[task, [task]]]));
      const counts = (voted.get(task) ?? []).map(({ gold, votes: [vote] }) => tokenCounts(gold, vote as Uint8Array));
      const { precision, recall, f1 } = scores(sum(counts));
      const figures = `precision ${precision.toFixed(3)}, recall ${recall.toFixed(3)}, F1 ${f1.toFixed(3)}`;
      t.diagnostic(figures);
      assert.ok(precision > floor.precision && f1 > floor.f1, figures);
      assert.ok(f1 < 0.97, `${figures}: too good to be true`);
    });
  }

  it('loads only what is asked for, into little memory', t => {
    const fresh = new DictionaryTeacher();
    const before = process.memoryUsage();
    const from = process.threadCpuUsage(); // what else the machine does takes none of it
    for (const task of fresh.tasks) fresh.annotate('aspirin', task);
    const { user, system } = process.threadCpuUsage(from);
    const ms = (user + system) / 1_000;
    const after = process.memoryUsage();
    const outside = (after.arrayBuffers + after.external - before.arrayBuffers - before.external) / 1e6;
    t.diagnostic(`all three in ${ms.toFixed(0)} ms, ${outside.toFixed(0)} MB`);
    assert.ok(ms < 2_000, `${ms} ms`);
    assert.ok(outside < 120, `${outside} MB`);
  });
});
