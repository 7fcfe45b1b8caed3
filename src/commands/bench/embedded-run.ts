/** The real program's tagger role over a fresh embedded log: what `bench pipeline` and `bench llm` measure. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../config.ts';
import { type Fact, unobserved } from '../../core/facts.ts';
import type { Note } from '../../core/note.ts';
import type { StreamRecord } from '../../core/record.ts';
import { singleObjectCodecs } from '../../events/codecs.ts';
import type { EntitiesEvent } from '../../events/generated.ts';
import type { Batch } from '../../model/batch.ts';
import type { Transport } from '../../streams/transport.ts';
import { sendOneByOne } from '../demo.ts';
import { ensureTopics, openTransport } from '../open-transport.ts';
import { appendNotes } from '../produce.ts';
import { type Serving, serveModel } from '../serve-model.ts';
import { startTagger } from '../tagger-role.ts';

export interface EmbeddedRun {
  /** From the first fetch to the last commit. */
  readonly seconds: number;
  /** Of the batches that ran in that time. */
  readonly tokens: number;
  readonly paddedTokens: number;
  readonly batches: readonly Batch[];
  readonly workers: number;
  /** To open bare sessions as the pipeline's own. */
  readonly session: { graph: string; provider: string; threads: number; output: string };
}

const APPEND = 200;

/** @param then reads what came of the notes while log and model are still there. */
export async function runEmbedded(
  config: Config,
  notes: readonly Note[],
  io: { readonly now: () => number },
  then: (place: EmbeddedPlace) => Promise<void> = async () => {},
): Promise<EmbeddedRun> {
  const directory = mkdtempSync(join(tmpdir(), 'clinstream-bench-'));
  const batches: Batch[] = [];
  let [tokens, paddedTokens] = [0, 0];
  const serving = await serveModel(
    config,
    (fact: Fact) => {
      if (fact.kind !== 'batch.run') return;
      tokens += fact.tokens;
      paddedTokens += fact.paddedTokens;
    },
    batch => batches.push(batch),
  );
  const transport = await openTransport(
    { ...config, transport: 'embedded', data: directory },
    { create: true, now: io.now },
  );
  try {
    await ensureTopics(transport, config);
    const codecs = singleObjectCodecs();
    const topic = config.topics.notes;
    const to = { transport, codec: codecs.notes(topic), topic, now: io.now };
    for (let i = 0; i < notes.length; i += APPEND) await appendNotes(to, notes.slice(i, i + APPEND));
    const began = performance.now();
    const running = await startTagger(config, { transport, codecs, serving, observe: unobserved, now: io.now });
    const drained = (): Promise<unknown> => Promise.race([running.subscription.drained(), running.done]);
    await drained();
    const seconds = (performance.now() - began) / 1000;
    const session = {
      graph: join(serving.model.directory, serving.model.manifest.graphs.int8),
      provider: 'cpu',
      threads: config.inference.threadsPerWorker,
      output: 'logits',
    };
    const run = { batches: [...batches], seconds, tokens, paddedTokens, workers: serving.pool.workers, session };
    const sendAlone = async (alone: readonly Note[]): Promise<void> => {
      await sendOneByOne(to, alone, (1000 * seconds) / notes.length);
      await drained();
    };
    await then({ serving, sendAlone, read: name => readTopic(transport, config.topics[name]) });
    await running.stop();
    return run;
  } finally {
    await serving.stop();
    await transport.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The log and the model after all notes have been read. */
export interface EmbeddedPlace {
  readonly serving: Serving;
  /** More notes, each when the tagger has nothing else to do; resolves when all are committed. */
  readonly sendAlone: (notes: readonly Note[]) => Promise<void>;
  readonly read: (topic: 'notes' | 'entities' | 'deadLetters') => Promise<StreamRecord[]>;
}

/** The events with their records. */
export async function decodeEntities(
  records: readonly StreamRecord[],
): Promise<{ readonly event: EntitiesEvent; readonly record: StreamRecord }[]> {
  const codec = singleObjectCodecs().entities('entities');
  return Promise.all(records.map(async record => ({ event: await codec.decode(record.value), record })));
}

/** The notes with their records. */
export async function decodeNotes(
  records: readonly StreamRecord[],
): Promise<{ readonly note: Note; readonly record: StreamRecord }[]> {
  const codec = singleObjectCodecs().notes('notes');
  return Promise.all(records.map(async record => ({ note: await codec.decode(record.value), record })));
}

async function readTopic(transport: Transport, topic: string): Promise<StreamRecord[]> {
  const records: StreamRecord[] = [];
  for await (const record of transport.read(topic, { from: 'beginning', untilEnd: true })) records.push(record);
  return records;
}
