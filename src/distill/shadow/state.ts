/** What a shadow has counted, as plain sums: small however long the stream, written whole, and read again by the next process. */
import { z } from 'zod';

const count = z.int().min(0);
const agreement = z.strictObject({ both: count, onlyFirst: count, onlySecond: count, neither: count });
const mentions = z.strictObject({ both: count, onlyFirst: count, onlySecond: count });
const pair = z.strictObject({ serving: z.number(), candidate: z.number() });
/** One count a resample, separated by spaces. */
const resampled = z.string().regex(/^\d+( \d+)*$/);

const task = z.strictObject({
  notes: count,
  words: agreement,
  exact: mentions,
  relaxed: mentions,
  /** Sums over notes. */
  confidence: pair,
  /** Notes that both would escalate, and so on. */
  escalates: agreement,
  resamples: z.strictObject({ both: resampled, onlyFirst: resampled, onlySecond: resampled, neither: resampled }),
});

const typeOfNotes = z.strictObject({
  notes: count,
  tasks: z.record(z.string(), z.strictObject({ words: agreement, exact: mentions })),
});

const apart = z.strictObject({
  noteId: z.string(),
  noteVersion: z.number(),
  noteType: z.string(),
  partition: count,
  offset: z.string().regex(/^\d+$/),
  words: count,
  /** Words that only one of the two marks, over all tasks. */
  apart: count,
  tasks: z.record(z.string(), mentions),
});

export const stateSchema = z.strictObject({
  /** By partition, the offset of the first record that is not counted yet. */
  next: z.record(z.string(), z.string().regex(/^\d+$/)),
  compared: count,
  /** Words of the notes compared. */
  words: count,
  refused: z.record(z.string(), count),
  unanswered: z.strictObject({ serving: z.record(z.string(), count), candidate: z.record(z.string(), count) }),
  /** Notes of which at least one task would escalate by one of the two and not by the other; `of` could be asked about. */
  escalation: z.strictObject({ of: count, differing: count }),
  tasks: z.record(z.string(), task),
  types: z.record(z.string(), typeOfNotes),
  mostApart: z.array(apart),
  /** Work of each model's sessions. */
  speed: z.strictObject({
    serving: z.strictObject({ tokens: count, ms: z.number() }),
    candidate: z.strictObject({ tokens: count, ms: z.number() }),
  }),
});

export type ShadowState = z.output<typeof stateSchema>;
export type NoteApart = ShadowState['mostApart'][number];
export type TypeTotals = ShadowState['types'][string];
