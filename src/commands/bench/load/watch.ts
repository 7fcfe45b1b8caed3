/** A reader of the entities topic, as a consumer downstream is: says when the first event of each note came into its hands. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Place } from '../place.ts';

export interface Watch {
  /** By note: `performance.now()` at its first event. */
  readonly seen: ReadonlyMap<string, number>;
  /** Entities found so far, over first events. */
  readonly entities: number;
  /** Resolves when all of the notes have an event, or nothing more comes for `quietMs`. */
  settled(noteIds: readonly string[], quietMs: number): Promise<void>;
  stop(): Promise<void>;
}

const POLL_MS = 10;

export function watchEntities({ config, transport, codecs }: Place): Watch {
  const seen = new Map<string, number>();
  let entities = 0;
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
      entities += event.entities.length;
    }
  })();
  let failure: unknown;
  reading.catch((error: unknown) => {
    failure = error;
  });
  return {
    seen,
    get entities() {
      return entities;
    },
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
