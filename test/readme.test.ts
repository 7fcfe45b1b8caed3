/** If this fails, a newcomer would copy a command from the README and it would not work. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fallback } from '../src/commands/fallback.ts';
import { buildTeachers } from '../src/commands/teachers.ts';
import { loadConfig } from '../src/config.ts';
import { loadModel } from '../src/model/manifest.ts';
import { createTeacher } from '../src/teachers/create-teacher.ts';
import type { ChaosReport } from './chaos/chaos.ts';
import { kafkaNeeds } from './kafka/needs.ts';
import { sharedKafka } from './kafka/shared.ts';
import { cleanEnvironment } from './support/cli.ts';
import { ROOT, SHIPPED } from './support/model.ts';
import { temporaryFolder } from './support/temporary.ts';

/** Proven elsewhere: the demo by its own test with a browser, install and tests by whoever runs this. */
const ELSEWHERE = new Set(['npm ci && npm run demo', 'npm ci && npm test', 'npm run test:chaos -- --write']);
/** The way to a tagger of one's own, run as it stands there by distill-train.test.ts. */
const OWN_TAGGER = / --(corpus|store) (corpus|serving)\b/;
/** Minutes long as it stands: run here on less, by the same code. */
const SHORTER = new Map([
  ['npm run bench -- load', 'npm run bench -- load --shares 0.5 --seconds 1 --backlog-scale 0.02'],
  ['npm run bench -- scenarios', 'npm run bench -- scenarios notes --seconds 1 --backlog-scale 0.02 --away 0'],
  ['npm run bench -- scaling', 'npm run bench -- scaling --rounds 1 --most 10000'],
  ['npm run bench -- llm --simulated', 'npm run bench -- llm --simulated --rounds 1 --times 1 --notes 3'],
  [
    'npm run bench -- capacity',
    `npm run bench -- capacity --results ${ROOT}/benchmarks/results --simulated-notes 20000`,
  ],
  [
    'npm run bench -- replicas --kafka localhost:9092',
    'npm run bench -- replicas --kafka localhost:9092 --rounds 1 --notes 6',
  ],
  ['npm run bench -- batching', 'npm run bench -- batching --notes 6'],
  ['npm run bench -- pipeline', 'npm run bench -- pipeline --rounds 1 --notes 12 --memory-notes 60'],
  ['npm run bench -- fallback', 'npm run bench -- fallback --rounds 1 --notes 24'],
  [
    'npm run bench -- kafka --kafka localhost:9092',
    'npm run bench -- kafka --kafka localhost:9092 --rounds 1 --notes 12 --records 200',
  ],
]);

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
const commands = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(block => (block[1] ?? '').trim().split('\n'));

interface LoadResult {
  readonly saturation: { readonly notesPerSecond: number };
  readonly steps: readonly {
    readonly share: number;
    readonly latency: Readonly<Record<'p50' | 'p95' | 'p99', number>>;
  }[];
}

interface ScenariosResult {
  readonly scenarios: readonly {
    readonly scenario: { readonly name: string; readonly escalated: number };
    readonly escalatedShare: number;
    readonly steps: readonly { readonly missing: number }[];
  }[];
  readonly catchUp: { readonly waiting: number; readonly caughtUpSeconds: number; readonly notesPerSecond: number };
}

interface HeldResult {
  readonly steps: readonly {
    readonly missing: number;
    readonly latency: { readonly notes: number; readonly p99: number };
    readonly tenthsMegabytes: readonly number[];
  }[];
}

interface Compared {
  readonly ratios: {
    readonly notesPerSecond: {
      readonly ratio: number;
      readonly interval: { readonly low: number; readonly high: number };
    };
  };
}

interface RivalsResult {
  readonly contenders: readonly {
    readonly name: string;
    readonly notesPerSecond: number;
    readonly ratio?: { readonly median: number };
  }[];
}

const CARDS = SHIPPED.map(name => `models/${name}/MODEL_CARD.md`);

/** Token, exact and relaxed F1 on a test set, as a card has them. */
function scoresOf(card = '', set: string, measure: string): string[] {
  const section = card.split(`**${set}, test**`)[1]?.split('\n**')[0] ?? '';
  const row = section.split('\n').find(line => line.startsWith(`| ${measure} |`)) ?? '';
  return [...row.matchAll(/\| (\.\d{3}) \[/g)].map(([, score]) => score as string);
}

function resultPages(): string[] {
  const pages = readdirSync(join(ROOT, 'benchmarks/results')).filter(name => name.endsWith('.md'));
  return ['benchmarks/CAPACITY.md', ...pages.map(name => `benchmarks/results/${name}`)];
}

describe('README', () => {
  // a folder of its own, so that files the commands write do not land in the project
  const folder = join(temporaryFolder('readme'), 'clone');
  mkdirSync(folder);
  for (const name of ['package.json', 'src', 'schemas', 'models', 'test', 'node_modules', '.npmrc'])
    symlinkSync(join(ROOT, name), join(folder, name));

  it('has the two commands', () => {
    for (const command of ELSEWHERE) assert.ok(commands.includes(command), command);
  });

  for (const command of commands.filter(
    each => !ELSEWHERE.has(each) && !OWN_TAGGER.test(each) && !each.startsWith('export '),
  )) {
    const needsKafka = /--kafka|schemas|:kafka/.test(command);
    it(command, { skip: needsKafka && kafkaNeeds().skip }, async () => {
      const env = cleanEnvironment();
      let line = SHORTER.get(command) ?? command;
      if (needsKafka) {
        const { bootstrap, registryUrl } = await sharedKafka();
        line = line.replace('localhost:9092', bootstrap);
        env.CLINSTREAM_REGISTRY_URL = registryUrl;
      }
      const { status, stdout, stderr } = spawnSync('bash', ['-c', line], {
        cwd: folder,
        env,
        encoding: 'utf8',
        maxBuffer: 64 * 1024 * 1024,
      });
      assert.equal(status, 0, stderr);
      assert.ok(stdout !== '' || command.includes('>') || / (produce|run) /.test(command), 'it says something');
    });
  }

  it('has a configuration of the fallback that is taken as it stands, given keys', async () => {
    const file = join(folder, 'of-the-readme.json');
    writeFileSync(file, /```json\n([\s\S]*?)```/.exec(readme)?.[1] ?? '');
    const config = loadConfig({ file, env: {} });
    const env = { OPENAI_API_KEY: 'none', GEMINI_API_KEY: 'none' };
    const teachers = await buildTeachers(config, { createTeacher, env, now: Date.now });
    assert.deepEqual([...teachers.keys()], ['disease', 'symptom']);
    fallback.doubtsOf(config, loadModel(config.model));
  });

  it('shows and links to nothing that is not there', () => {
    for (const page of ['README.md', 'DECISIONS.md', 'models/EXPERIMENTS.md', ...CARDS, ...resultPages()]) {
      const text = readFileSync(join(ROOT, page), 'utf8');
      const places = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, place]) => place as string);
      const files = places.filter(place => !/^(https?:|#)/.test(place));
      const missing = files.filter(file => !existsSync(join(ROOT, dirname(page), file.replace(/#.*/, ''))));
      assert.deepEqual(missing, [], page);
    }
  });

  it('states no number that the committed results do not hold', () => {
    const section = /## Measured\n([\s\S]*?)\n## /.exec(readme)?.[1] ?? '';
    const measured = section.replaceAll(/\s+/g, ' '); // a line may end within a figure
    const results = <T>(name: string): T =>
      JSON.parse(readFileSync(join(ROOT, `benchmarks/results/${name}.json`), 'utf8')) as T;
    const holds = (number: string): void => assert.ok(measured.includes(number), `${number} stands in the README`);
    const pipeline = results<{ medianRatio: number; memory: { tenthsBytes: number[] } }>('pipeline');
    holds(`| ${pipeline.medianRatio.toFixed(2)} |`);
    for (const tenth of [0, 3, 9]) holds(`${Math.round((pipeline.memory.tenthsBytes[tenth] ?? 0) / 1e6)} MB`);
    for (const name of ['load', 'load-kafka', 'load@notes-minilm-fast', 'load-xeon', 'load-vnni']) {
      const load = results<LoadResult>(name);
      const half = load.steps.find(({ share }) => share === 0.5)?.latency;
      holds(`${load.saturation.notesPerSecond.toFixed(1)} notes/s`);
      for (const ms of [half?.p50, half?.p95, half?.p99]) holds(`${Math.round(ms ?? Number.NaN)} ms`);
    }
    const { scenarios, catchUp } = results<ScenariosResult>('scenarios');
    for (const { scenario, steps } of scenarios) assert.equal(steps[0]?.missing, 0, scenario.name);
    const escalated = scenarios.filter(({ scenario }) => scenario.escalated > 0);
    holds(`with ${escalated.map(each => (100 * each.escalatedShare).toFixed(0)).join(' and ')} % escalated, are in`);
    for (const figure of [catchUp.waiting, Math.round(catchUp.caughtUpSeconds)]) holds(figure.toLocaleString('en-US'));
    holds(`${catchUp.notesPerSecond.toFixed(1)} notes/s`);
    const [held] = results<HeldResult>('held').steps;
    assert.equal(held?.missing, 0);
    holds(`${held.latency.notes.toLocaleString('en-US')} notes`);
    for (const tenth of [0, 9]) holds(`${held.tenthsMegabytes[tenth]?.toFixed(0)} MB`);
    holds(`${Math.round(held.latency.p99)} ms`);
    const { ratio, interval } = results<Compared>('compare-checkout-notes-minilm-fast').ratios.notesPerSecond;
    holds(
      `reads ${ratio.toFixed(2)} times as many notes a second (95 % interval ${interval.low.toFixed(2)} to ${interval.high.toFixed(2)}`,
    );
    for (const name of ['load-escalated-5', 'load-escalated-20']) {
      const { saturation, escalatedShare } = results<LoadResult & { escalatedShare: number }>(name);
      holds(`${saturation.notesPerSecond.toFixed(1)} notes/s`);
      holds(` ${(100 * escalatedShare).toFixed(0)} % `);
    }
    const onXeon = results<RivalsResult>('rivals-xeon').contenders;
    for (const { name, notesPerSecond, ratio } of results<RivalsResult>('rivals').contenders) {
      if (ratio === undefined) continue;
      holds(`| ${notesPerSecond.toFixed(1)} |`);
      holds(`| ${ratio.median.toFixed(2)}`);
      holds(`) | ${onXeon.find(each => each.name === name)?.ratio?.median.toFixed(2)} (`);
      assert.ok(measured.includes(name), `${name} stands in the README`);
    }
    const replicas = results<Record<'twoProcessesOverOne' | 'twoSessionsOverOne', number>>('replicas');
    holds(`| ${replicas.twoProcessesOverOne.toFixed(2)} |`);
    holds(`| ${replicas.twoSessionsOverOne.toFixed(2)} |`);
    const { spread } = results<{ spread: { byNumber: number; byLength: number } }>('scaling');
    for (const factor of [spread.byNumber, spread.byLength]) holds(` ${factor.toFixed(2)}`);
    const [measuredReader] = results<{ readers: { secondsPerNote: number; secondsAlone: number }[] }>('llm').readers;
    for (const seconds of [measuredReader?.secondsPerNote, measuredReader?.secondsAlone])
      holds(`${seconds?.toFixed(3)} s`);
    const kafka =
      results<Record<'taggedKafkaOverEmbedded' | 'copiedKafkaOverEmbedded' | 'copiedKafkaOverPlain', number>>('kafka');
    holds(`| ${kafka.taggedKafkaOverEmbedded.toFixed(2)} |`);
    holds(`| ${kafka.copiedKafkaOverEmbedded.toFixed(2)} |`);
    holds(`| ${kafka.copiedKafkaOverPlain.toFixed(2)} |`);
    const fallback = results<Record<'hangingOverAbsent' | 'hangingOverAnswering', number>>('fallback');
    holds(`| ${fallback.hangingOverAbsent.toFixed(2)} |`);
    holds(`| ${fallback.hangingOverAnswering.toFixed(2)} |`);
    for (const row of results<{ rows: { aloneTokensPerSecond: number; togetherTokensPerSecond: number }[] }>('batching')
      .rows)
      holds(`| ${(row.aloneTokensPerSecond / row.togetherTokensPerSecond).toFixed(2)} |`);
    const chaos = results<ChaosReport>('chaos');
    const { entities, deadLetters, longestGap, missing, doubled, outOfOrder, wrong, fedAgain } = chaos.findings;
    assert.equal(entities + deadLetters, chaos.notes + fedAgain);
    assert.deepEqual([missing, doubled, outOfOrder, wrong], [[], [], [], []]);
    for (const count of [chaos.notes, entities, deadLetters]) holds(count.toLocaleString('en-US'));
    for (const gap of [longestGap.rolling, longestGap.before]) holds(`${gap} ms`);
    holds(`${chaos.workersSaid['exit SIGKILL']} SIGKILLs`);
    const subsets = results<{ tasks: { ranked: { annotators: string[]; f1: number }[] }[] }>('teacher-subsets');
    const alone = (each: { annotators: string[] }): boolean => each.annotators.length === 1;
    for (const { ranked } of subsets.tasks)
      for (const { f1 } of [ranked[0], ranked.find(alone)].flatMap(each => each ?? []))
        assert.ok(readme.includes(f1.toFixed(3).slice(1)), `F1 ${f1} of a subset stands in the README`);
  });

  it('has the scores of both models as their cards have them, row by row', () => {
    const [own, fast] = CARDS.map(card => readFileSync(join(ROOT, card), 'utf8'));
    const rows = [...readme.matchAll(/^\| ([^|]+) \| ([^|]+) \|((?: \.\d{3} \|){5})$/gm)];
    assert.equal(rows.length, 9);
    for (const [, set = '', measure = '', cells = ''] of rows) {
      const scores = [...cells.matchAll(/\.\d{3}/g)].map(String);
      const found = [...scoresOf(own, set, measure), ...scoresOf(fast, set, measure).slice(0, 2)];
      assert.deepEqual(scores, found, `${set}, ${measure}`);
    }
  });
});
