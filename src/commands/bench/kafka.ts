/**
 * `bench kafka`: what exactly-once on a broker costs, in one run, in turns. With the real tagger: notes/s through Kafka over notes/s
 * on the embedded log. With a processor that only copies: records/s of both transports, and of plain kafkajs without transactions.
 */

import { repeated } from '../../benchmark/workloads.ts';
import type { Config } from '../../config.ts';
import type { Observer } from '../../core/facts.ts';
import type { Note } from '../../core/note.ts';
import type { Processor } from '../../core/processor.ts';
import { median } from '../../evaluation/median.ts';
import { createKafka } from '../../streams/kafka/client.ts';
import { type Running, runProcessor } from '../../streams/runner.ts';
import { readDemoNotes } from '../demo.ts';
import { type Io, write } from '../io.ts';
import { kafkaSettings } from '../kafka-settings.ts';
import { appendNotes } from '../produce.ts';
import { type Serving, serveModel } from '../serve-model.ts';
import { startTagger } from '../tagger-role.ts';
import { embedded, isJoined, onKafka, type Place, readAll, stoppedSoon } from './place.ts';
import { copyPlainly } from './plain-kafka.ts';
import { originOf, writeResults } from './results.ts';

interface Round {
  readonly taggedOnKafka: number;
  readonly taggedEmbedded: number;
  readonly copiedOnKafka: number;
  readonly copiedEmbedded: number;
  readonly copiedPlainly: number;
}

export async function benchKafka(
  config: Config,
  options: { rounds: number; notes: number; records: number; write: boolean },
  io: Io,
): Promise<void> {
  const origin = originOf(
    config,
    `kafka --rounds ${options.rounds} --notes ${options.notes} --records ${options.records} --kafka HOST:PORT`,
    'broker on the same machine',
  );
  const demoNotes = await readDemoNotes();
  const serving = await serveModel(config, () => {});
  const rounds: Round[] = [];
  try {
    for (let round = 1; round <= options.rounds; round++) {
      const tagged = (place: Place): Promise<number> => tagAll(place, serving, repeated(demoNotes, options.notes), io);
      const copied = (place: Place): Promise<number> => copyAll(place, repeated(demoNotes, options.records), io);
      rounds.push({
        taggedOnKafka: await onKafka(config, io, tagged),
        taggedEmbedded: await embedded(config, io, tagged),
        copiedOnKafka: await onKafka(config, io, copied),
        copiedEmbedded: await embedded(config, io, copied),
        copiedPlainly: await onKafka(config, io, place =>
          copyAllPlainly(place, repeated(demoNotes, options.records), io),
        ),
      });
      await write(io.stdout, `round ${round}: ${sentence(rounds.at(-1) as Round)}\n`);
    }
  } finally {
    await serving.stop();
  }
  const ratio = (of: (round: Round) => number): number => median(rounds.map(of));
  const result = {
    ...origin,
    stream: config.stream,
    partitions: config.topics.partitions,
    rounds,
    taggedKafkaOverEmbedded: ratio(each => each.taggedOnKafka / each.taggedEmbedded),
    copiedKafkaOverEmbedded: ratio(each => each.copiedOnKafka / each.copiedEmbedded),
    copiedKafkaOverPlain: ratio(each => each.copiedOnKafka / each.copiedPlainly),
  };
  await write(
    io.stdout,
    `real tagger: Kafka / embedded ${result.taggedKafkaOverEmbedded.toFixed(2)}; copying: Kafka / embedded ${result.copiedKafkaOverEmbedded.toFixed(2)}, exactly once / plain kafkajs ${result.copiedKafkaOverPlain.toFixed(2)} (medians)\n`,
  );
  if (!options.write) return;
  await writeResults('kafka', config, { json: result }, io);
}

/** Notes a second from the moment the group is joined to the last commit. */
async function tagAll(place: Place, serving: Serving, notes: readonly Note[], io: Io): Promise<number> {
  const { config, transport, codecs } = place;
  await appendAll(place, notes, io);
  return rate(notes.length, place, observe =>
    startTagger(stoppedSoon(config), { transport, codecs, serving, observe, now: io.now }),
  );
}

/** Records a second of the transport alone: the processor copies bytes. */
async function copyAll(place: Place, notes: readonly Note[], io: Io): Promise<number> {
  const { config, transport } = place;
  await appendAll(place, notes, io);
  const { notes: topic, entities } = config.topics;
  const copy: Processor = {
    process: async ({ key, value, headers }) => [{ topic: entities, key, value, headers }],
  };
  const { stream } = stoppedSoon(config);
  return rate(notes.length, place, observe =>
    runProcessor({
      ...stream,
      transport,
      processor: copy,
      topics: [topic],
      outputs: [entities],
      observe,
      sleep: async () => {},
    }),
  );
}

async function copyAllPlainly(place: Place, notes: readonly Note[], io: Io): Promise<number> {
  await appendAll(place, notes, io);
  const { notes: from, entities: to } = place.config.topics;
  const route = { group: `${from}-plain`, from, to };
  const ms = await copyPlainly(createKafka(kafkaSettings(place.config)), route, place.interrupted);
  return (1000 * notes.length) / ms;
}

async function rate(
  count: number,
  { interrupted }: Place,
  run: (observe: Observer) => Promise<Running>,
): Promise<number> {
  let began = 0;
  const running = await run(fact => {
    if (isJoined(fact)) began ||= performance.now();
  });
  const end = await readAll(running, interrupted);
  return (1000 * count) / (end - began);
}

function appendAll({ config, transport, codecs }: Place, notes: readonly Note[], io: Io): Promise<void> {
  const { notes: topic } = config.topics;
  return appendNotes({ transport, codec: codecs.notes(topic), topic, now: io.now }, notes);
}

function sentence(round: Round): string {
  const n = (value: number): string => value.toFixed(value < 100 ? 1 : 0);
  return `tagger ${n(round.taggedOnKafka)} notes/s on Kafka, ${n(round.taggedEmbedded)} embedded; copying ${n(round.copiedOnKafka)} records/s on Kafka, ${n(round.copiedEmbedded)} embedded, ${n(round.copiedPlainly)} by plain kafkajs`;
}
