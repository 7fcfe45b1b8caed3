/** A reader of the entities topic, as a consumer downstream is: says when the first event of each note came into its hands. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Note } from '../../../core/note.ts';
import { BenchError } from '../bench-error.ts';
import type { Place } from '../place.ts';

export interface Watch {
  /** By note: `performance.now()` at its first event. */
  readonly seen: ReadonlyMap<string, number>;
  /** Resolves when all of the notes have an event, or nothing more comes for `quietMs`. */
  settled(noteIds: readonly string[], quietMs: number): Promise<void>;
  stop(): Promise<void>;
}

const POLL_MS = 10;

export function watchEntities({ config, transport, codecs }: Place): Watch {
  const seen = new Map<string, number>();
  let latest = performance.now();
  const ending = new AbortController();
  const topic = config.topics.entities;
  const codec = codecs.entities(topic);
  const reading = (async () => {
    const records = transport.read(topic, { from: 'beginning', untilEnd: false, signal: ending.signal });
    for await (const { value } of records) {
      const now = performance.now();
      latest = now;
      const event = await codec.decode(value);
      if (seen.has(event.noteId)) continue;
      seen.set(event.noteId, now);
    }
  })();
  let failure: unknown;
  reading.catch((error: unknown) => {
    failure = error;
  });
  return {
    seen,
    settled: async (noteIds, quietMs) => {
      const open = new Set(noteIds);
      const began = performance.now();
      for (;;) {
        if (failure !== undefined) throw failure;
        for (const noteId of open) if (seen.has(noteId)) open.delete(noteId);
        if (open.size === 0 || performance.now() - Math.max(latest, began) > quietMs) return;
        await sleep(POLL_MS);
      }
    },
    stop: async () => {
      ending.abort();
      await reading.catch(() => {});
    },
  };
}

/** When the last of them had its event; `performance.now()`. @throws BenchError NOTES_UNANSWERED where some have none, and nothing more comes for `quietMs`. */
export async function lastOf(watch: Watch, notes: readonly Note[], quietMs: number): Promise<number> {
  await watch.settled(
    notes.map(({ noteId }) => noteId),
    quietMs,
  );
  const at = notes.map(({ noteId }) => watch.seen.get(noteId) ?? Number.NaN);
  if (at.some(Number.isNaN))
    throw new BenchError('NOTES_UNANSWERED', `no event for some of ${notes.length} notes, and none for ${quietMs} ms`);
  return at.reduce((last, each) => Math.max(last, each));
}
