/** The real program's tagger role over a fresh embedded log: what `bench pipeline` and `bench llm` measure. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../config.ts';
import { type Observer, unobserved } from '../../core/facts.ts';
import type { Note } from '../../core/note.ts';
import type { StreamRecord } from '../../core/record.ts';
import { singleObjectCodecs } from '../../events/codecs.ts';
import type { EntitiesEvent } from '../../events/generated.ts';
import type { Batch } from '../../model/batch.ts';
import type { GroupLag } from '../../streams/transport.ts';
import type { Io } from '../io.ts';
import { appendNotes } from '../produce.ts';
import { type Serving, serveModel } from '../serve-model.ts';
import { interruption } from '../signals.ts';
import { startTagger } from '../tagger-role.ts';
import { allOf, embedded, stoppedSoon } from './place.ts';

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

/** @param then reads what came of the notes while log and model are still there. @throws Interrupted, and whatever ended the tagger before it had read all. */
export async function runEmbedded(
  config: Config,
  notes: readonly Note[],
  io: Pick<Io, 'now'>,
  then: (place: EmbeddedPlace) => Promise<void> = async () => {},
): Promise<EmbeddedRun> {
  const batches: Batch[] = [];
  let [tokens, paddedTokens] = [0, 0];
  const observe: Observer = fact => {
    if (fact.kind !== 'batch.run') return;
    tokens += fact.tokens;
    paddedTokens += fact.paddedTokens;
  };
  const serving = await serveModel(config, observe, batch => batches.push(batch));
  const session = {
    graph: join(serving.model.directory, serving.model.manifest.graphs.int8),
    provider: 'cpu',
    threads: config.inference.threadsPerWorker,
    output: 'logits',
  };
  try {
    return await embedded(config, io, async ({ transport, codecs, interrupted }) => {
      const topic = config.topics.notes;
      const to = { transport, codec: codecs.notes(topic), topic, now: io.now };
      await appendNotes(to, notes);
      const began = performance.now();
      const running = await startTagger(stoppedSoon(config), {
        transport,
        codecs,
        serving,
        observe: unobserved,
        now: io.now,
      });
      const ended = interruption(interrupted);
      try {
        const drained = async (): Promise<number> => {
          await Promise.race([running.subscription.drained(), running.done, ended]);
          const at = performance.now();
          // a tagger that fails is drained too: what it left unread is told by its error alone
          if (!isRead(await transport.lags(), config)) await running.done;
          return at;
        };
        const seconds = ((await drained()) - began) / 1000;
        const run = { batches: [...batches], seconds, tokens, paddedTokens, workers: serving.pool.workers, session };
        const sendAlone = async (alone: readonly Note[]): Promise<void> => {
          for (const note of alone) {
            await sleep(config.stream.transactionMs); // whoever comes sooner after a transaction waits for others
            await appendNotes(to, [note]);
            await drained();
          }
        };
        const looked = then({ serving, sendAlone, read: name => allOf(transport, config.topics[name]) });
        await Promise.race([looked, ended]);
        await running.stop();
        return run;
      } finally {
        await running.stop().catch(() => {}); // the first failure is the one to report
      }
    });
  } finally {
    await serving.stop();
  }
}

/** Whether the group has committed everything. */
function isRead(lags: readonly GroupLag[], { topics }: Config): boolean {
  return lags.length === topics.partitions && lags.every(({ lag }) => lag === 0n);
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
