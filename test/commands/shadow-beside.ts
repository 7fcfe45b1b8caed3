/** A shadow beside the serving tagger, the same on every transport. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { install } from '../../src/distill/change-store.ts';
import { contentHash } from '../../src/distill/model-content.ts';
import { loadModel } from '../../src/model/manifest.ts';
import { stricterModel } from '../support/changed-model.ts';
import { cleanEnvironment, clinstream, type Result, rows } from '../support/cli.ts';
import { MODEL_DIRECTORY, ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { note, type Place } from './way-of-a-note.ts';

const folder = temporaryFolder('shadow-beside');
const CANARY = 'Zyxcanary';

/** Real notes, the shortest first; not those with a web address, which the privacy gate refuses. */
export function realNotes(count: number): { readonly noteId: string; readonly text: string; readonly line: string }[] {
  return readFileSync(join(ROOT, 'test/data/demo/notes.jsonl'), 'utf8')
    .split('\n')
    .filter(line => line !== '' && !/www\.|https?:|\.com/.test(line))
    .map(line => ({ ...(JSON.parse(line) as { noteId: string; text: string }), line }))
    .sort((a, b) => a.text.length - b.text.length)
    .slice(0, count);
}

export interface Report {
  readonly group: string;
  readonly read: number;
  readonly compared: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly tasks: Readonly<
    Record<
      string,
      {
        readonly notes: number;
        readonly words: Shared;
        readonly f1: number;
        readonly f1Interval: { readonly low: number; readonly high: number };
        readonly kappa: number;
        readonly mentions: { readonly exact: Shared; readonly relaxed: Shared };
        readonly confidence: { readonly serving: number; readonly candidate: number };
        readonly escalates: { readonly serving: number; readonly candidate: number; readonly differing: number };
      }
    >
  >;
  readonly types: Readonly<Record<string, { readonly notes: number }>>;
  readonly speedRatio: number;
  readonly mostApart: readonly { readonly noteId: string; readonly apart: number }[];
}

interface Shared {
  readonly both: number;
  readonly onlyServing: number;
  readonly onlyCandidate: number;
}

export function readReport(path: string): Report {
  return JSON.parse(readFileSync(path, 'utf8')) as Report;
}

export interface Started {
  readonly child: ChildProcess;
  /** Resolves when it reads; rejects when it ends before. */
  readonly reads: Promise<void>;
  /** On Kafka: resolves when it has every partition that it will have. */
  readonly settled: Promise<void>;
  readonly ended: Promise<Result>;
}

/** A shadow as a process. */
export function startShadow(args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
  const child = spawn(process.execPath, [join(ROOT, 'src/main.ts'), 'distill', 'shadow', ...args], {
    cwd: ROOT,
    env: cleanEnvironment({ CLINSTREAM_TELEMETRY_LEVEL: 'info', ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', text => {
    stdout += String(text);
  });
  const ended = new Promise<Result>(done => child.on('close', code => done({ code, stdout, stderr })));
  const settled = Promise.withResolvers<void>();
  const reads = new Promise<void>((done, fail) => {
    child.stderr.on('data', text => {
      stderr += String(text);
      if (stderr.includes('the report is ')) done();
      if (stderr.includes('"fact":"group.settled"')) settled.resolve();
    });
    child.on('close', () => fail(new Error(`it ended before it read: ${stderr}`)));
  });
  reads.catch(() => {}); // who waits for it hears of it
  return { child, reads, settled: settled.promise, ended };
}

interface ListedTopic {
  readonly topic: string;
  readonly records: number;
  readonly lag: Readonly<Record<string, number>>;
}

export type ShadowPlace = Place & {
  /** Options and environment that name the place. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
};

export function besideTheTagger(name: string, open: () => Promise<ShadowPlace>, skip: string | false = false): void {
  describe(`a shadow on ${name}`, { skip, timeout: 480_000 }, () => {
    it('reads what comes from now on, tells where the models differ, and touches nothing that serves', async () => {
      const { call, names, args, env } = await open();
      const before = realNotes(3);
      const live = realNotes(10).slice(3);
      const refused = [
        note('r-1', `${CANARY}: call 555-234-5678`),
        note('r-2', CANARY, { deidentification: null }),
        note('r-3', CANARY, { deidentification: null }),
      ];
      const topics = async () => {
        const listed = rows<ListedTopic>((await call(['topics', 'list', '--format', 'jsonl'])).stdout);
        const own = listed.filter(({ topic }) => Object.values(names).includes(topic));
        return own.map(({ topic, records, lag }) => ({ topic, records, lag: lag[names.group] }));
      };
      await call(['produce'], before.map(({ line }) => line).join('\n'));
      assert.equal((await call(['run', '--until-drained', '--quiet'])).code, 0);

      const candidate = stricterModel(join(folder, name.replaceAll(' ', '-'), 'candidate'));
      const report = join(folder, name.replaceAll(' ', '-'), 'report.json');
      const total = live.length + refused.length;
      const ending = ['--max-notes', String(total), '--every', '4'];
      // what serves may be named by its store
      const store = join(folder, name.replaceAll(' ', '-'), 'store');
      mkdirSync(store);
      const why = { at: new Date().toISOString(), from: MODEL_DIRECTORY, command: 'test', commit: 'test' };
      const served = loadModel(MODEL_DIRECTORY);
      await install(store, served, contentHash(served), why);
      const serving = { ...env, CLINSTREAM_MODEL: store };
      const shadow = startShadow(['--candidate', candidate, '--report', report, ...ending, ...args], serving);
      await shadow.reads;
      if (env.CLINSTREAM_TRANSPORT === 'kafka') await Promise.race([shadow.settled, shadow.ended]);
      // its group begins at the end once it has its partitions
      let known = 0;
      while (known === 0) {
        const listed = rows<ListedTopic>((await call(['topics', 'list', '--format', 'jsonl'])).stdout);
        const lag = listed.find(({ topic }) => topic === names.notes)?.lag ?? {};
        known = Object.keys(lag).filter(group => group.includes('-shadow-')).length;
      }
      await call(['produce'], [...live.map(({ line }) => line), ...refused].join('\n'));
      const produced = await topics();
      const { code, stdout, stderr } = await shadow.ended;
      assert.equal(code, 0, stderr);
      assert.deepEqual(await topics(), produced, 'no offset of the tagger and no topic of its outputs has moved');

      const found = readReport(report);
      assert.deepEqual(
        [found.read, found.compared, found.refused],
        [total, live.length, { NOTE_LOOKS_IDENTIFIED: 1, NOTE_NOT_ATTESTED: 2 }],
      );
      await isWhatBothModelsSay(found, live, candidate);
      assert.match(found.group, new RegExp(`^${names.group}-shadow-`));
      assert.ok(found.speedRatio > 0);
      const { name: model, version } = loadModel(MODEL_DIRECTORY).identity;
      assert.ok(stdout.startsWith(`# Shadow: ${model} 9.9.9 `), stdout);
      assert.ok(stdout.split('\n')[0]?.includes(` beside ${model} ${version} `), stdout);
      assert.match(stdout, /Disagreement is not error/);
      assert.match(stderr, /^# Shadow: /m);
      const said = `${stdout}${stderr}${readFileSync(report, 'utf8')}`;
      assert.ok(!said.includes(CANARY) && !said.includes('555-234'));

      assert.equal((await call(['run', '--until-drained', '--quiet'])).code, 0);
      const entities = rows<{ value: { noteId: string } }>(
        (await call(['consume', names.entities, '--until-end'])).stdout,
      );
      assert.deepEqual(
        entities.map(each => each.value.noteId).sort(),
        [...before, ...live].map(each => each.noteId).sort(),
        'the tagger goes on where it was, and what it writes is all there is',
      );
    });
  });
}

/** By another way to the same figures: what `tag` says with each model. */
async function isWhatBothModelsSay(
  report: Report,
  notes: readonly { readonly noteId: string; readonly text: string }[],
  candidate: string,
): Promise<void> {
  const input = notes.map(({ noteId, text }) => JSON.stringify({ id: noteId, text })).join('\n');
  const [serving, other] = await Promise.all(
    [MODEL_DIRECTORY, candidate].map(async model => {
      const said = await clinstream(['tag', '--input', 'jsonl', '--format', 'jsonl', '--model', model], { input });
      assert.equal(said.code, 0, said.stderr);
      return rows<{
        entities: { task: string; start: number; end: number }[];
        tasks: Record<string, { confidence: number }>;
      }>(said.stdout);
    }),
  );
  for (const [task, { mentions, confidence, words, f1, f1Interval, kappa, notes: counted }] of Object.entries(
    report.tasks,
  )) {
    const keys = (said: typeof serving) =>
      (said ?? []).flatMap(({ entities }, i) =>
        entities.filter(each => each.task === task).map(({ start, end }) => `${i} ${start} ${end}`),
      );
    const [first, second] = [new Set(keys(serving)), new Set(keys(other))];
    const both = first.intersection(second).size;
    assert.deepEqual(mentions.exact, { both, onlyServing: first.size - both, onlyCandidate: second.size - both });
    const mean = (said: typeof serving) =>
      (said ?? []).reduce((sum, each) => sum + (each.tasks[task]?.confidence ?? Number.NaN), 0) / notes.length;
    assert.ok(
      Math.abs(confidence.serving - mean(serving)) < 1e-4 && Math.abs(confidence.candidate - mean(other)) < 1e-4,
    );
    assert.equal(counted, notes.length);
    assert.deepEqual([words.onlyCandidate, words.onlyServing > 0], [0, true], 'the stricter model marks less');
    assert.ok(kappa < 1 && f1 < 1 && f1Interval.low <= f1 && f1 <= f1Interval.high && f1Interval.low < f1Interval.high);
  }
  assert.deepEqual(Object.keys(report.tasks), ['medication', 'disease', 'symptom']);
  assert.ok(report.mostApart.every(({ noteId }) => notes.some(each => each.noteId === noteId)));
  const apart = report.mostApart.map(each => each.apart);
  assert.deepEqual(
    apart,
    apart.toSorted((a, b) => b - a),
  );
}
