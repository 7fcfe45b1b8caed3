/** If this fails, nobody could find out why a note goes to a teacher, or does not. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { clinstream, rows } from '../support/cli.ts';
import { MODEL_DIRECTORY, ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface Explained {
  readonly score: string;
  readonly value: number;
  readonly threshold: number | null;
  readonly escalates: boolean;
  readonly fromRate: number | null;
  readonly words: number;
  readonly expectedErrors: number;
  readonly confidence: number;
  readonly spans: readonly { decided: string; start: number; end: number; text: string; expectedErrors: number }[];
}
interface Row {
  readonly id: string;
  readonly tasks: Readonly<Record<string, Explained>>;
  readonly error?: { code: string };
}

const NOTES = 'test/data/notes/notes.jsonl';
const VISIT = 'test/data/notes/clinic-visit.txt';

async function explained(...args: readonly string[]): Promise<Row[]> {
  const { code, stdout, stderr } = await clinstream(['route', 'explain', '--json', ...args]);
  assert.equal(code, 0, stderr);
  return rows<Row>(stdout);
}

describe('clinstream route explain', () => {
  it('explains by the rules of the configuration, and names the teachers, unless a rate is given', async () => {
    const env = {
      CLINSTREAM_ESCALATION_TEACHERS: JSON.stringify([{ name: 'terms', kind: 'dictionary' }]),
      CLINSTREAM_ESCALATION_TASKS: JSON.stringify({ symptom: { threshold: 0.000_001, teachers: ['terms'] } }),
    };
    const { stdout } = await clinstream(['route', 'explain', '--json', VISIT], { env });
    const [row] = rows<{ tasks: Record<string, { escalates: boolean; threshold: number | null; teachers: string[] }> }>(
      stdout,
    );
    const { symptom, disease } = row?.tasks ?? {};
    assert.deepEqual([symptom?.escalates, symptom?.threshold, symptom?.teachers], [true, 0.000_001, ['terms']]);
    assert.deepEqual([disease?.escalates, disease?.threshold], [false, null]);
    const by = await clinstream(['route', 'explain', '--json', '--rate', '0', VISIT], { env });
    const none = rows<{ tasks: Record<string, { escalates: boolean }> }>(by.stdout)[0]?.tasks ?? {};
    assert.deepEqual(
      Object.values(none).map(each => each.escalates),
      [false, false, false],
    );
  });

  it('shows score, value, threshold, decision and the words behind it, for every task of every note', async () => {
    const found = await explained(NOTES, VISIT, '--spans', '1000');
    assert.deepEqual(
      found.map(row => row.id),
      ['a-1', 'a-2', 'a-3', 'clinic-visit.txt'],
    );
    const points = [...readFileSync(join(ROOT, VISIT), 'utf8')];
    for (const [i, row] of found.entries()) {
      assert.deepEqual(Object.keys(row.tasks), ['medication', 'disease', 'symptom']);
      for (const { value, threshold, escalates, expectedErrors, spans, words } of Object.values(row.tasks)) {
        assert.equal(escalates, value > (threshold as number));
        const shown = spans.reduce((sum, span) => sum + span.expectedErrors, 0);
        // what is not shown are words of less than 1 % each
        assert.ok(shown <= expectedErrors + 1e-6 && shown >= expectedErrors - 0.01 * words);
        if (i === 3) for (const { start, end, text } of spans) assert.equal(points.slice(start, end).join(''), text);
      }
    }
  });

  it('escalates more at a higher rate, nothing at 0, and says from which rate on', async () => {
    const [few, many, none] = await Promise.all(
      ['0.01', '0.5', '0'].map(rate => explained(NOTES, VISIT, '--rate', rate)),
    );
    for (const [i, row] of (few ?? []).entries()) {
      for (const [task, one] of Object.entries(row.tasks)) {
        const other = many?.[i]?.tasks[task] as Explained;
        assert.ok(other.escalates || !one.escalates);
        assert.ok((other.threshold as number) < (one.threshold as number));
        assert.equal(other.escalates, one.fromRate !== null, 'half is the highest measured rate');
        assert.deepEqual([none?.[i]?.tasks[task]?.threshold, none?.[i]?.tasks[task]?.escalates], [null, false]);
      }
    }
    assert.ok(
      many?.some(row => Object.values(row.tasks).some(each => each.escalates)),
      'some task of four notes is in the upper half',
    );
  });

  it('is readable, and shows no control character of the note', async () => {
    const input = 'Possible\u001b[31m gout, ?pseudogout; query sarcoid. Started on colchi.';
    const { code, stdout } = await clinstream(['route', 'explain', '--rate', '0.5'], { input });
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^── stdin ──\nmedication (escalates|stays): balanced \d+\.\d{3}, threshold \d\.\d{3}; would escalate at/,
    );
    assert.match(stdout, /\n {2}\d+\.\d\d of \d+ words expected wrong, expected F1 \d\.\d{3}\n/);
    assert.match(stdout, /\n {2}\d\.\d\d {2}(found|missed) +\d+ % {2}\[\d+, \d+\) {2}\S/);
    assert.ok(!stdout.includes('\u001b'));
  });

  it('takes an empty note: certain, and nothing to show', async () => {
    const { stdout } = await clinstream(['route', 'explain', '--json', '--rate', '0.5'], { input: '' });
    for (const task of Object.values(rows<Row>(stdout)[0]?.tasks ?? {})) {
      assert.deepEqual([task.value, task.escalates, task.spans, task.confidence, task.words], [0, false, [], 1, 0]);
    }
  });

  it('tells what is wrong with a line, a rate and a model without routing', async () => {
    const input = '{"id": "1", "text": 5}\n{"id": "2", "text": "cough"}\n';
    const bad = await clinstream(['route', 'explain', '--json'], { input });
    assert.equal(bad.code, 3);
    assert.deepEqual(
      rows<Row>(bad.stdout).map(row => row.error?.code),
      ['LINE_NOT_A_NOTE', undefined],
    );
    for (const [rate, message] of [
      ['2', /a share from 0 to below 1/],
      ['0.9', /escalation of medication.*measured are 0 and 0\.01 to 0\.5 \[ROUTE_INVALID\]/],
    ] as const) {
      const { code, stderr, stdout } = await clinstream(['route', 'explain', '--rate', rate], { input });
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, message);
    }
    const model = join(temporaryFolder('route'), 'model');
    cpSync(MODEL_DIRECTORY, model, { recursive: true });
    rmSync(join(model, 'routing.json'));
    const without = await clinstream(['route', 'explain', '--model', model], { input });
    assert.equal(without.code, 2);
    assert.match(without.stderr, /no routing\.json.* \[ROUTING_MISSING\]/);
    writeFileSync(join(model, 'routing.json'), '{}');
    const broken = await clinstream(['route', 'explain', '--model', model], { input });
    assert.equal(broken.code, 4);
    assert.match(broken.stderr, /ROUTING_INVALID/);
  });
});
