/** If these fail, the roles do not find each other: doubts reach no teacher, revisions reach no topic, or a stop hangs. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { before, describe, it } from 'node:test';
import { exitCode, explain } from '../../src/commands/exit.ts';
import type { Io } from '../../src/commands/io.ts';
import { ensureTopics, openCodecs, openTransport } from '../../src/commands/open-transport.ts';
import { appendNotes } from '../../src/commands/produce.ts';
import { type Fallback, run } from '../../src/commands/run.ts';
import { type Config, loadConfig } from '../../src/config.ts';
import { deadLetterReason } from '../../src/events/dead-letter.ts';
import type { Transport } from '../../src/streams/transport.ts';
import type { CreateTeacherOptions } from '../../src/teachers/create-teacher.ts';
import { readAll } from '../contract/harness.ts';
import { exactly, hang, noteOf, refuse, reply, type Script, Scripted } from '../escalation/scripted.ts';
import { kafkaNeeds } from '../kafka/needs.ts';
import { sharedKafka } from '../kafka/shared.ts';
import { clinstream } from '../support/cli.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('escalator-role');
const KEY = 'sk-secret-of-nobody';
let places = 0;

const TEACHERS = [
  { name: 'first', kind: 'openai', model: 'm-1', measured: { symptom: { precision: 0.9, f1: 0.8 } } },
  { name: 'unused', kind: 'gemini', model: 'm-2', keyFrom: 'ABSENT_KEY' },
];
const TASKS = { symptom: { rate: 0.2, teachers: ['first'] } };

const io = (): Io => ({
  stdin: process.stdin,
  stdout: new PassThrough() as unknown as Io['stdout'],
  stderr: new PassThrough() as unknown as Io['stderr'],
  env: { OPENAI_API_KEY: KEY },
  now: Date.now,
});

/** Doubts symptoms wherever aspirin stands, and makes scripted teachers. */
function fallback(script: Script, asked: CreateTeacherOptions[] = []): Fallback {
  return {
    createTeacher: async source => {
      asked.push(source);
      return new Scripted(source.config.name, script);
    },
    ground: exactly,
    doubtsOf: () => tagged =>
      tagged.entities.some(each => each.text.includes('aspirin'))
        ? [{ task: 'symptom', score: 'scripted', value: 2, threshold: 1 }]
        : [],
  };
}

async function embedded(changes: NodeJS.ProcessEnv = {}): Promise<Config> {
  return configOf({ CLINSTREAM_DATA: join(folder, String(places++), 'log'), ...changes });
}

function configOf(env: NodeJS.ProcessEnv): Config {
  return loadConfig({
    env: {
      CLINSTREAM_TELEMETRY_LEVEL: 'silent',
      CLINSTREAM_ESCALATION_TEACHERS: JSON.stringify(TEACHERS),
      CLINSTREAM_ESCALATION_TASKS: JSON.stringify(TASKS),
      CLINSTREAM_ESCALATION_STATE: join(folder, String(places++), 'state'),
      CLINSTREAM_EGRESS_ALLOW: 'first.example, other.example',
      CLINSTREAM_INFERENCE_WORKERS: '1',
      ...env,
    },
  });
}

async function filled(config: Config, texts: readonly string[]): Promise<Transport> {
  const transport = await openTransport(config, { create: true, now: Date.now });
  await ensureTopics(transport, config);
  const codecs = await openCodecs(config, Date.now);
  const topic = config.topics.notes;
  await appendNotes(
    { transport, codec: codecs.notes(topic), topic, now: Date.now },
    texts.map((text, i) => noteOf(i, { text, patientId: 'p' })),
  );
  return transport;
}

const drained = (config: Config, role: 'tagger' | 'escalator', by: Fallback): Promise<void> =>
  run(config, { role, untilDrained: true, quiet: true }, io(), by);

/** Both roles over the whole way of a note, by the real model. */
async function wholeWay(config: Config): Promise<void> {
  const transport = await filled(config, ['Takes aspirin for a headache.', 'Sleeps well.', 'mail j@example.org']);
  const asked: CreateTeacherOptions[] = [];
  const by = fallback(() => reply('headache'), asked);
  await drained(config, 'tagger', by);
  await drained(config, 'escalator', by);
  const codec = (await openCodecs(config, Date.now)).entities(config.topics.entities);
  const records = await readAll(transport, config.topics.entities);
  const events = await Promise.all(records.map(record => codec.decode(record.value)));
  assert.deepEqual(
    events.map(each => [each.noteId, each.revision, each.status]),
    [
      ['n-0', 1, 'PROVISIONAL'],
      ['n-1', 1, 'FINAL'],
      ['n-0', 2, 'FINAL'],
    ],
  );
  const symptom = events[2]?.entities.find(each => each.task === 'symptom');
  assert.deepEqual([symptom?.text, symptom?.source, symptom?.confidence], ['headache', 'teacher:first', 0.9]);
  assert.deepEqual(
    events[2]?.tasks.find(each => each.task === 'symptom'),
    { task: 'symptom', confidence: 0.8, decidedBy: 'teacher:first' },
  );
  assert.ok(events[2]?.entities.some(each => each.text === 'aspirin' && each.source === 'student'));
  const trace = records.map(record => String(record.headers.traceparent).split('-')[1]);
  assert.equal(trace[0], trace[2], 'one trace from note to revision');
  const letters = await readAll(transport, config.topics.deadLetters);
  assert.deepEqual(
    letters.map(record => deadLetterReason(record)?.code),
    ['NOTE_LOOKS_IDENTIFIED'],
  );
  assert.deepEqual(
    asked.map(({ config: of, egressAllow }) => [
      of.name,
      of.kind === 'dictionary' ? undefined : of.apiKey,
      egressAllow,
    ]),
    [
      ['first', KEY, ['first.example', 'other.example']],
      ['unused', 'never-sent', ['first.example', 'other.example']],
    ],
    'those that no task names are checked too, without a key',
  );
  const audit = readFileSync(join(config.escalation.state, 'audit.jsonl'), 'utf8');
  assert.equal(audit.trimEnd().split('\n').length, 2);
  assert.ok(!audit.includes('aspirin') && !audit.includes(KEY));
  await transport.close();
}

describe('tagger and escalator', { timeout: 240_000 }, () => {
  it('take a doubtful note all the way on the embedded log', async () => wholeWay(await embedded()));

  describe('on Kafka', { skip: kafkaNeeds().skip }, () => {
    let env: NodeJS.ProcessEnv;
    before(async () => {
      const { bootstrap, registryUrl } = await sharedKafka();
      const scope = `roles-${process.pid}`;
      const topics = ['NOTES', 'ENTITIES', 'DEAD_LETTERS', 'ESCALATIONS', 'REVIEW'];
      env = {
        CLINSTREAM_TRANSPORT: 'kafka',
        CLINSTREAM_KAFKA_BROKERS: bootstrap,
        CLINSTREAM_REGISTRY_URL: registryUrl,
        CLINSTREAM_REGISTRY_AUTO_REGISTER: 'true',
        CLINSTREAM_STREAM_GROUP: `${scope}.tagger`,
        CLINSTREAM_ESCALATION_GROUP: `${scope}.escalator`,
        ...Object.fromEntries(topics.map(topic => [`CLINSTREAM_TOPICS_${topic}`, `${scope}.${topic.toLowerCase()}`])),
      };
    });
    it('take it all the way too', async () => wholeWay(configOf(env)));
  });

  it('stop well on SIGTERM though every provider hangs, within their time, and lose nothing', async () => {
    const config = await embedded({ CLINSTREAM_STREAM_DRAIN_MS: '12000' });
    const transport = await filled(config, ['Takes aspirin for a headache.', 'aspirin and a headache']);
    await drained(
      config,
      'tagger',
      fallback(() => reply()),
    );
    const asking = Promise.withResolvers<void>();
    const hangs = fallback((_, __, signal) => {
      asking.resolve();
      return hang(signal);
    });
    const running = run(config, { role: 'escalator', untilDrained: false, quiet: true }, io(), hangs);
    await asking.promise;
    const began = performance.now();
    process.kill(process.pid, 'SIGTERM');
    await running;
    assert.ok(performance.now() - began < 11_900, `${performance.now() - began} ms`);
    const lag = async (): Promise<number> => {
      const lags = (await transport.lags()).filter(each => each.group === config.escalation.group);
      return lags.reduce((sum, each) => sum + Number(each.lag), 0);
    };
    assert.equal(await lag(), 2);
    await drained(
      config,
      'escalator',
      fallback(() => reply('headache')),
    );
    assert.equal(await lag(), 0);
    await transport.close();
  });

  it('end with exit code 7 when a key is wrong, and say whose', async () => {
    const config = await embedded();
    const transport = await filled(config, ['Takes aspirin for a headache.']);
    await drained(
      config,
      'tagger',
      fallback(() => reply()),
    );
    const error = await drained(
      config,
      'escalator',
      fallback(() => refuse('TEACHER_DENIED')),
    ).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.equal(exitCode(error), 7);
    assert.match(explain(error), /\[TEACHER_DENIED\]$/);
    await transport.close();
  });

  it('refuse rules that cannot be kept, before the first note', async () => {
    const config = await embedded({
      CLINSTREAM_ESCALATION_TASKS: JSON.stringify({ disease: { rate: 0.1, teachers: ['first'] } }),
    });
    const transport = await filled(config, []);
    await assert.rejects(
      drained(
        config,
        'escalator',
        fallback(() => reply()),
      ),
      {
        code: 'CONFIG_INVALID',
        message: /escalation\.tasks\.disease: teacher first cannot be asked about disease/,
      },
    );
    const none = await embedded({ CLINSTREAM_ESCALATION_TASKS: '{}' });
    await (await filled(none, [])).close();
    await assert.rejects(
      drained(
        none,
        'escalator',
        fallback(() => reply()),
      ),
      /has nobody to ask/,
    );
    await transport.close();
  });

  it('are offered by the command', async () => {
    const { code, stdout } = await clinstream(['run', '--help']);
    assert.equal(code, 0);
    assert.match(stdout, /--role <ROLE>/);
    const wrong = await clinstream(['run', '--role', 'reviewer']);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /tagger, escalator/);
  });
});
