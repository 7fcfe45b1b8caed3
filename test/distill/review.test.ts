/** If this fails, a reviewer's verdict would be lost, or would move a score by something else than what the reviewer said. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { startReviewServer } from '../../src/commands/review/server.ts';
import type { Span } from '../../src/core/span.ts';
import { countReading, type DocumentCounts } from '../../src/distill/measure.ts';
import { adjustedCounts, type Judge, judgeBy } from '../../src/distill/review/adjusted.ts';
import { errorKey, inReviewOrder, type ReviewDocument, reviewDocument } from '../../src/distill/review/errors.ts';
import { estimate } from '../../src/distill/review/estimate.ts';
import type { Review } from '../../src/distill/review/review.ts';
import { summariseReview } from '../../src/distill/review/summary.ts';
import { renderSummary } from '../../src/distill/review/summary-text.ts';
import { type Verdict, VerdictLog, type VerdictRow } from '../../src/distill/review/verdicts.ts';
import { seeded } from '../../src/evaluation/bootstrap.ts';
import { scores, sum } from '../../src/evaluation/counts.ts';
import { shareOf } from '../../src/evaluation/proportion.ts';
import type { Words } from '../../src/text/words.ts';
import { temporaryFolder } from '../support/temporary.ts';

const WORDS = 20;
const [MODEL, OTHER_MODEL, GOLD, OTHER_GOLD] = ['a', 'b', 'c', 'd'].map(each => each.repeat(64)) as [
  string,
  string,
  string,
  string,
];
const folder = temporaryFolder('review');

/** Twenty words of one letter, one space between them: word i is [2i, 2i + 1). */
function document(id: string, gold: readonly Span[], found: readonly Span[], letter = 'w'): ReviewDocument {
  const words: Words = {
    count: WORDS,
    starts: Int32Array.from({ length: WORDS }, (_, i) => 2 * i),
    ends: Int32Array.from({ length: WORDS }, (_, i) => 2 * i + 1),
    logits: new Float32Array(WORDS),
  };
  const inside = Uint8Array.from({ length: WORDS }, (_, i) =>
    found.some(each => each.start <= 2 * i && each.end > 2 * i) ? 1 : 0,
  );
  const text = Array(WORDS).fill(letter).join(' ');
  const entities = gold.map(each => ({ ...each, type: 'disease' }));
  const probabilities = Float64Array.from(inside, each => (each === 1 ? 0.9 : 0.2));
  return reviewDocument({ id, split: 'test', text, entities }, 'disease', words, {
    gold,
    found,
    inside,
    probabilities,
  });
}

const span = (first: number, last: number): Span => ({ start: 2 * first, end: 2 * last + 1 });

/** Spans that may overlap: a human's. */
const anySpans = fc
  .array(fc.tuple(fc.nat(WORDS - 1), fc.nat(3)), { maxLength: 6 })
  .map(all => all.map(([first, more]) => span(first, Math.min(WORDS - 1, first + more))));

/** Runs that never touch: a tagger's. */
const foundSpans = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(3)), { maxLength: 6 }).map(all => {
  const spans: Span[] = [];
  let at = 0;
  for (const [gap, more] of all) {
    if (at + gap + more >= WORDS) break;
    spans.push(span(at + gap, at + gap + more));
    at += gap + more + 1;
  }
  return spans;
});

const documents = fc.tuple(anySpans, foundSpans).map(([gold, found]) => document('a', gold, found));
const raw = ({ words, reading }: ReviewDocument): DocumentCounts => countReading(words, reading);
const always =
  (verdict: Verdict | undefined): Judge =>
  () =>
    verdict;

describe('errors of a document', () => {
  it('are the false positives and false negatives of the exact score, no more and no fewer', () => {
    fc.assert(
      fc.property(documents, each => {
        const { exact } = raw(each);
        const count = (kind: string): number => each.errors.filter(error => error.kind === kind).length;
        assert.deepEqual([count('fp'), count('fn')], [exact.fp, exact.fn]);
        assert.equal(new Set(each.errors.map(errorKey)).size, each.errors.length);
      }),
    );
  });

  it('know their probability and whether the border alone may be wrong', () => {
    const { errors } = document('a', [span(3, 4), span(9, 9)], [span(4, 5), span(15, 15)]);
    assert.deepEqual(
      errors.map(({ kind, start, overlaps, probability }) => [kind, start, overlaps, Number(probability.toFixed(3))]),
      [
        ['fn', 6, true, 0.55],
        ['fp', 8, true, 0.9],
        ['fn', 18, false, 0.2],
        ['fp', 30, false, 0.9],
      ],
    );
  });

  it('come in one order whatever order the documents have, those that overlap side by side', () => {
    const all = ['a', 'b', 'c', 'd', 'e'].map(id => document(id, [span(3, 4), span(9, 9)], [span(4, 5), span(15, 15)]));
    const order = inReviewOrder(all.flatMap(each => each.errors));
    assert.deepEqual(inReviewOrder([...all].reverse().flatMap(each => each.errors)), order);
    assert.notDeepEqual(
      order.map(each => each.document),
      order.map(each => each.document).sort(),
    );
    for (const [i, error] of order.entries()) {
      if (error.start === 6) assert.deepEqual([order[i + 1]?.document, order[i + 1]?.start], [error.document, 8]);
    }
  });
});

describe('adjusted counts', () => {
  it('are the raw ones without verdicts, and where the gold is right or nobody can tell', () => {
    fc.assert(
      fc.property(documents, each => {
        for (const verdict of [undefined, 'gold-right', 'cannot-tell'] as const)
          assert.deepEqual(adjustedCounts(each, always(verdict)), raw(each));
      }),
    );
  });

  it('have no error left where the tagger was always right', () => {
    fc.assert(
      fc.property(documents, each => {
        const { token, exact, relaxed } = adjustedCounts(each, always('tagger-right'));
        const found = each.reading.found.length;
        assert.deepEqual(exact, { tp: found, fp: 0, fn: 0 });
        assert.deepEqual(relaxed, { tp: found, fp: 0, fn: 0 });
        assert.deepEqual([token.fp, token.fn], [0, 0]);
      }),
    );
  });

  it('move exactly one exact count by each verdict that the tagger was right', () => {
    fc.assert(
      fc.property(documents, fc.nat(), (each, pick) => {
        const error = each.errors[pick % Math.max(1, each.errors.length)];
        if (error === undefined) return;
        const { exact } = adjustedCounts(each, other => (other === error ? 'tagger-right' : undefined));
        const before = raw(each).exact;
        assert.deepEqual(
          [exact.tp - before.tp, exact.fp - before.fp, exact.fn - before.fn],
          error.kind === 'fp' ? [1, -1, 0] : [0, 0, -1],
        );
      }),
    );
  });

  it('count a border as found in the relaxed score, and nowhere else', () => {
    // one long gold span, two finds in it: the second finds no partner
    const each = document('a', [span(2, 8)], [span(2, 3), span(6, 7)]);
    assert.deepEqual(raw(each).relaxed, { tp: 1, fp: 1, fn: 0 });
    const { token, exact, relaxed } = adjustedCounts(each, always('border'));
    assert.deepEqual(relaxed, { tp: 2, fp: 0, fn: 0 });
    assert.deepEqual({ token, exact }, { token: raw(each).token, exact: raw(each).exact });
  });

  it('take words from the gold only where no other gold span holds them', () => {
    const each = document('a', [span(2, 5), span(4, 4)], [span(2, 5)]);
    const { token, exact } = adjustedCounts(each, always('tagger-right'));
    assert.deepEqual(
      [token, exact],
      [
        { tp: 4, fp: 0, fn: 0 },
        { tp: 1, fp: 0, fn: 0 },
      ],
    );
  });
});

describe('estimate', () => {
  const many = Array.from({ length: 60 }, (_, i) =>
    document(`d${i}`, [span(1, 1), span(5, 5)], [span(5, 5), span(9, 9)]),
  );
  /** The tagger is right on seven of ten false positives and one of ten false negatives. */
  const truth: Judge = error =>
    Number(error.document.slice(1)) % 10 < (error.kind === 'fp' ? 7 : 1) ? 'tagger-right' : 'gold-right';
  const f1 = (judge: Judge): number => scores(sum(many.map(each => adjustedCounts(each, judge).exact))).f1;

  it('is the adjusted score once all is reviewed', () => {
    const all = estimate(many, truth, 1);
    assert.ok(all !== null && Math.abs(all.exact.f1 - f1(truth)) < 1e-12);
    assert.deepEqual(all.exact.interval, { low: all.exact.f1, high: all.exact.f1 });
  });

  it('finds the whole from a part, with an interval that narrows', () => {
    const first =
      (share: number): Judge =>
      error =>
        Number(error.document.slice(1)) < 60 * share ? truth(error) : undefined;
    const widths = [1 / 6, 1 / 2, 5 / 6].map(share => {
      const { f1: middle, interval } = estimate(many, first(share), 1)?.exact ?? assert.fail('no estimate');
      assert.ok(interval.low <= f1(truth) && f1(truth) <= interval.high, `${share}: ${interval.low} ${interval.high}`);
      assert.ok(middle > f1(first(share)), 'the part alone understates it');
      return interval.high - interval.low;
    });
    assert.ok((widths[0] as number) > (widths[1] as number) && (widths[1] as number) > (widths[2] as number));
  });

  it('says nothing after too few verdicts of a kind', () => {
    const only =
      (kind: string): Judge =>
      error =>
        error.kind === kind ? truth(error) : undefined;
    assert.equal(estimate(many, only('fp'), 1), null);
    assert.equal(estimate(many, always('cannot-tell'), 1)?.exact.f1, f1(always(undefined)));
  });
});

describe('a share counted on few', () => {
  it("has Wilson's interval", () => {
    const { low, high } = shareOf(7, 10).interval;
    assert.ok(Math.abs(low - 0.3968) < 1e-4 && Math.abs(high - 0.8922) < 1e-4);
    assert.deepEqual(shareOf(0, 0).interval, { low: 0, high: 1 });
    assert.ok(shareOf(0, 5).interval.high > 0.3 && shareOf(5, 5).interval.high === 1);
  });
});

const DOCUMENT = document('a', [span(3, 4)], [span(4, 5), span(15, 15)]);
const [FN, FP, APART] = DOCUMENT.errors as [
  (typeof DOCUMENT.errors)[0],
  (typeof DOCUMENT.errors)[0],
  (typeof DOCUMENT.errors)[0],
];
const REVIEW: Review = {
  file: 'gold/x.jsonl',
  split: 'test',
  goldSha256: GOLD,
  model: { name: 'm', version: '1', sha256: MODEL },
  tasks: ['disease'],
  documents: [DOCUMENT],
  errors: inReviewOrder(DOCUMENT.errors),
};

function row(
  error: (typeof DOCUMENT.errors)[0],
  verdict: Verdict,
  reviewer = 'anna',
  more: Partial<VerdictRow> = {},
): VerdictRow {
  const { document: id, textSha256, task, kind, start, end } = error;
  const gold = { file: 'gold/x.jsonl', split: 'test', sha256: GOLD };
  const at = '2026-01-01T00:00:00.000Z';
  return {
    format: 1,
    document: id,
    textSha256,
    task,
    kind,
    start,
    end,
    verdict,
    reviewer,
    at,
    model: MODEL,
    gold,
    ...more,
  };
}

let files = 0;
const newFile = (): string => join(folder, `verdicts-${files++}.jsonl`);
const logWith = (...rows: readonly VerdictRow[]): VerdictLog => {
  const log = new VerdictLog(newFile());
  for (const each of rows) log.append(each);
  return log;
};

describe('verdicts', () => {
  it('are kept in order, taken up again, and the last of a reviewer counts', () => {
    const path = newFile();
    const log = new VerdictLog(path);
    for (const verdict of ['gold-right', 'cannot-tell', 'tagger-right'] as const) log.append(row(FP, verdict));
    log.append(row(FP, 'border', 'ben', { comment: 'a "quote",\na line' }));
    const again = new VerdictLog(path);
    assert.deepEqual(again.rows, log.rows);
    assert.equal(again.rows.length, 4);
    assert.deepEqual(
      Array.from(again.on(FP), ([name, each]) => [name, each.verdict, each.comment]),
      [
        ['anna', 'tagger-right', undefined],
        ['ben', 'border', 'a "quote",\na line'],
      ],
    );
    assert.equal(again.on(FN).size, 0);
  });

  it('of several reviewers go by what most of them say', () => {
    const judged = (...verdicts: readonly Verdict[]) =>
      judgeBy(logWith(...verdicts.map((verdict, i) => row(FP, verdict, `r${i}`))))(FP);
    assert.equal(judged(), undefined);
    assert.equal(judged('border'), 'border');
    assert.equal(judged('border', 'gold-right'), 'disagreed');
    assert.equal(judged('border', 'gold-right', 'gold-right'), 'gold-right');
  });

  it('of two processes that append at once are all kept', async () => {
    const path = newFile();
    const module = resolve(import.meta.dirname, '../../src/distill/review/verdicts.ts');
    const writing = ['anna', 'ben'].map(
      reviewer =>
        new Promise<number | null>(done => {
          const script = `import { VerdictLog } from ${JSON.stringify(module)};
            const log = new VerdictLog(${JSON.stringify(path)});
            for (let i = 0; i < 150; i++) log.append({ ...${JSON.stringify(row(FP, 'border', reviewer))}, comment: 'c'.repeat(i) });`;
          spawn(process.execPath, ['--input-type=module-typescript', '-e', script], { stdio: 'inherit' }).on(
            'close',
            done,
          );
        }),
    );
    assert.deepEqual(await Promise.all(writing), [0, 0]);
    const log = new VerdictLog(path);
    assert.deepEqual([log.rows.length, log.torn], [300, 0]);
    for (const reviewer of ['anna', 'ben'])
      assert.deepEqual(
        log.rows.filter(each => each.reviewer === reviewer).map(each => each.comment?.length),
        Array.from({ length: 150 }, (_, i) => i),
      );
  });

  it('survive a line that a crash left half-written', () => {
    const path = newFile();
    new VerdictLog(path).append(row(FP, 'border'));
    appendFileSync(path, '{"format":1,"document":"a');
    const log = new VerdictLog(path);
    assert.deepEqual([log.rows.length, log.torn], [1, 0]);
    log.append(row(FN, 'gold-right'));
    assert.deepEqual([log.rows.length, log.torn], [2, 1]);
    assert.equal(new VerdictLog(path).on(FN).get('anna')?.verdict, 'gold-right');
  });

  it('on a last line without an end are taken by whoever reads once', () => {
    const path = newFile();
    writeFileSync(path, JSON.stringify(row(FP, 'border')));
    const log = new VerdictLog(path);
    assert.deepEqual([log.rows.length, log.torn], [0, 0], 'it may still be under way');
    log.refresh(true);
    assert.deepEqual([log.rows.length, log.torn], [1, 0]);
    log.refresh(true);
    assert.deepEqual([log.rows.length, log.torn], [1, 0]);
    appendFileSync(path, '\n{"format":1,');
    log.refresh(true);
    assert.deepEqual([log.rows.length, log.torn], [1, 1]);
  });

  it('after a line that is none are taken all the same, and the line is told each time', async () => {
    const path = newFile();
    const log = new VerdictLog(path);
    log.append(row(FP, 'border'));
    const lines = [{ ...row(FP, 'border'), verdict: 'maybe' }, row(FP, 'gold-right', 'ben'), { format: 2 }];
    appendFileSync(path, lines.map(each => `${JSON.stringify(each)}\n`).join(''));
    log.append(row(FN, 'gold-right'));
    for (const time of ['first', 'second']) {
      const told = { code: 'VERDICTS_INVALID', message: /jsonl:2: verdict: .*; .*jsonl:4: format: / };
      assert.throws(() => log.refresh(), told, time);
      assert.deepEqual(
        log.rows.map(each => each.reviewer),
        ['anna', 'ben', 'anna'],
      );
    }
    const failed: string[] = [];
    const server = await startReviewServer({
      ...{ review: REVIEW, log, port: 0, reviewer: '', now: Date.now },
      failed: code => void failed.push(code),
    });
    try {
      for (let i = 0; i < 2; i++) {
        const response = await fetch(`${server.url}/api/verdicts`);
        const answer = (await response.json()) as { verdicts: unknown[]; invalid: number[] };
        assert.deepEqual([answer.verdicts.length, answer.invalid], [3, [2, 4]]);
      }
      const summary = await fetch(`${server.url}/api/summary`);
      assert.deepEqual(await summary.json(), { code: 'VERDICTS_INVALID' }, 'nothing is counted on a part unsaid');
    } finally {
      await server.stop();
    }
    assert.deepEqual(failed, ['VERDICTS_INVALID, line 2', 'VERDICTS_INVALID, line 4', 'VERDICTS_INVALID']);
  });

  it('are refused by file, line and key where they are none, and where the file shrinks', () => {
    const path = newFile();
    writeFileSync(
      path,
      `${JSON.stringify(row(FP, 'border'))}\n\n${JSON.stringify({ ...row(FP, 'border'), verdict: 'maybe' })}\n`,
    );
    assert.throws(() => new VerdictLog(path), { code: 'VERDICTS_INVALID', message: /jsonl:3: verdict: / });
    const log = logWith(row(FP, 'border'));
    assert.throws(() => new VerdictLog(folder), { code: 'OUTPUT_FAILED' });
    assert.throws(() => log.append({ ...row(FP, 'border'), reviewer: '' }));
    assert.equal(log.rows.length, 1);
    const shrunk = newFile();
    const open = new VerdictLog(shrunk);
    open.append(row(FP, 'border'));
    writeFileSync(shrunk, '');
    assert.throws(() => open.refresh(), { code: 'VERDICTS_INVALID', message: /shorter/ });
  });
});

describe('summary of a review', () => {
  it('counts what is reviewed, and what the gold lacks', () => {
    const log = logWith(
      row(FP, 'border'),
      row(APART, 'tagger-right'),
      row(APART, 'gold-right', 'ben'),
      row(APART, 'tagger-right', 'cem'),
    );
    const summary = summariseReview(REVIEW, log);
    const [task] = summary.tasks;
    assert.deepEqual([task?.fp.errors, task?.fp.reviewed, task?.fn.errors, task?.fn.reviewed], [2, 2, 1, 0]);
    assert.deepEqual([summary.gaps.share, summary.gaps.of], [0.5, 2]);
    assert.deepEqual([summary.gapsApart.share, summary.gapsApart.of], [1, 1]);
    assert.deepEqual([summary.agreement.share, summary.agreement.of], [0, 1]);
    assert.ok((task?.adjusted.exact.f1 ?? 0) > (task?.raw.exact.f1 ?? 1));
    assert.equal(task?.estimate, null);
    const text = renderSummary(summary);
    assert.match(text, /Reviewed: 2 of 3 errors\. The review is PARTIAL/);
    assert.match(text, /gold among the false positives judged: \.500 \[\.095, \.905\] of 2/);
  });

  it('counts a verdict on another model or gold only where the same error comes again', () => {
    const elsewhere = { model: OTHER_MODEL };
    const moved = { ...APART, start: APART.start - 2 };
    const text = { ...APART, textSha256: OTHER_GOLD };
    const log = logWith(
      row(APART, 'tagger-right', 'anna', elsewhere),
      row(FN, 'gold-right', 'anna', { gold: { file: 'gold/y.jsonl', split: 'test', sha256: OTHER_GOLD } }),
      row(FP, 'gold-right'),
      row(moved, 'tagger-right', 'anna', elsewhere),
      row({ ...APART, kind: 'fn' }, 'tagger-right', 'anna', elsewhere),
      row(text, 'tagger-right', 'anna', elsewhere),
    );
    const { verdicts, gaps, tasks } = summariseReview(REVIEW, log);
    assert.deepEqual(verdicts, { counted: 3, carriedOver: 2, elsewhere: 3 });
    assert.deepEqual([gaps.share, gaps.of], [0.5, 2]);
    assert.deepEqual(tasks[0]?.estimate?.exact.interval.low, tasks[0]?.adjusted.exact.f1);
    assert.match(renderSummary(summariseReview(REVIEW, log)), /The review is complete/);
  });

  it('is in a file without a word of the note', () => {
    const path = newFile();
    const log = new VerdictLog(path);
    const note = document('n', [], [span(2, 3)], 'Ω');
    log.append(row(note.errors[0] as (typeof note.errors)[0], 'tagger-right'));
    assert.ok(!readFileSync(path, 'utf8').includes('Ω'));
  });

  it('gives the same figures each time', () => {
    const random = seeded(3);
    const rows = REVIEW.errors.map(error => row(error, random() < 0.5 ? 'tagger-right' : 'gold-right'));
    assert.deepEqual(summariseReview(REVIEW, logWith(...rows)), summariseReview(REVIEW, logWith(...rows)));
  });
});
