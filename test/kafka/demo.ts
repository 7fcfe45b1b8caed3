/**
 * `npm run demo:kafka`: the main job on a real broker and a real registry that it starts and stops itself. Two processes of the
 * tagger share the partitions; every number at the end is read back from the topics.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readDemoNotes, report, sendOneByOne, split } from '../../src/commands/demo.ts';
import type { Io } from '../../src/commands/io.ts';
import { openCodecs, openTransport } from '../../src/commands/open-transport.ts';
import { appendNotes } from '../../src/commands/produce.ts';
import { createProgress } from '../../src/commands/progress.ts';
import { serveModel } from '../../src/commands/serve-model.ts';
import { loadConfig } from '../../src/config.ts';
import { unobserved } from '../../src/core/facts.ts';
import type { Transport } from '../../src/streams/transport.ts';
import { kafkaNeeds } from './needs.ts';
import { startShared } from './shared.ts';

const MAIN = resolve(import.meta.dirname, '../../src/main.ts');
const WORKERS = 2;
const POLL_MS = 100;
const SILENCE_MS = 60_000;

const { stdin, stdout, stderr } = process;
const { skip } = kafkaNeeds();
if (skip !== false) {
  stderr.write(`${skip}\n`);
  process.exit(1);
}
const quiet = process.argv.includes('--quiet');
stderr.write('starting Kafka and a schema registry (the first time they are downloaded)\n');
const cluster = await startShared();
try {
  await demo();
} finally {
  await cluster.dispose();
}

async function demo(): Promise<void> {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    CLINSTREAM_TRANSPORT: 'kafka',
    CLINSTREAM_KAFKA_BROKERS: cluster.bootstrap,
    CLINSTREAM_REGISTRY_URL: cluster.registryUrl,
    CLINSTREAM_INFERENCE_WORKERS: '1',
    CLINSTREAM_TELEMETRY_LEVEL: 'warn',
  };
  const io: Io = { stdin, stdout, stderr, env, now: Date.now };
  const config = loadConfig({ env });
  await clinstream(env, 'topics', 'create');
  await clinstream(env, 'schemas', 'register');

  const directory = resolve('.clinstream/demo-kafka');
  mkdirSync(directory, { recursive: true });
  const notes = await readDemoNotes();
  const { backlog, lone } = split(notes);
  const transport = await openTransport(config, { create: false, now: io.now });
  const serving = await serveModel(config, unobserved); // to count tokens as the taggers do
  try {
    const codecs = await openCodecs(config, io.now);
    const topic = config.topics.notes;
    const to = { transport, codec: codecs.notes(topic), topic, now: io.now };
    await appendNotes(to, backlog);
    const workers = Array.from({ length: WORKERS }, () =>
      spawn(process.execPath, [...process.execArgv, MAIN, 'run', '--quiet'], {
        env,
        stdio: ['ignore', 'ignore', 'inherit'],
      }),
    );
    const ends = workers.map(worker => once(worker, 'exit'));
    // a demo that fails must not leave them: they would hold its standard error open for ever
    process.on('exit', () => workers.forEach(worker => void worker.kill('SIGKILL')));
    const progress = createProgress({
      label: 'tagging',
      unit: 'notes',
      total: notes.length,
      quiet,
      stream: stderr,
      now: io.now,
    });
    await untilTagged(transport, config.topics, backlog.length, done => progress.update(done));
    await sendOneByOne(to, lone, 100);
    await untilTagged(transport, config.topics, notes.length, done => progress.update(done));
    progress.end();
    for (const worker of workers) worker.kill('SIGTERM');
    for (const [code] of await Promise.all(ends))
      if (code !== 0) throw new Error(`a tagger ended with exit code ${code}`);
    await report({ transport, codecs }, config, { backlog, lone, serving, directory }, io);
  } finally {
    await serving.stop();
    await transport.close();
  }
}

async function untilTagged(
  transport: Transport,
  topics: { readonly entities: string; readonly deadLetters: string },
  count: number,
  tell: (done: number) => void,
): Promise<void> {
  const outputs = new Set([topics.entities, topics.deadLetters]);
  for (let [most, until] = [0, Date.now() + SILENCE_MS]; ; await sleep(POLL_MS)) {
    // the ends of topics count the markers of transactions too, so records are counted, not offsets
    let done = 0;
    for (const topic of outputs)
      for await (const _ of transport.read(topic, { from: 'beginning', untilEnd: true })) done++;
    tell(done);
    if (done >= count) return;
    if (done > most) [most, until] = [done, Date.now() + SILENCE_MS];
    if (Date.now() > until)
      throw new Error(`only ${done} of ${count} notes have an end, and no more came for a minute`);
  }
}

async function clinstream(env: NodeJS.ProcessEnv, ...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [...process.execArgv, MAIN, ...args], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`clinstream ${args.join(' ')} ended with exit code ${code}`);
}
