/** Whether two contenders found the same in the same notes: a faster one that finds something else is another tagger. */
import type { Turn } from './script.ts';

export interface Agreement {
  readonly spans: number;
  /** Spans, task and place, that only one of the two found. */
  readonly differingSpans: number;
  /** Notes in which they differ, or that only one of them answered. */
  readonly differingNotes: number;
  /** Twice the common spans over both's (F1 of the one on the other); 1 where nobody found anything. */
  readonly agreement: number;
}

export function agreementOf(own: Turn['spans'], other: Turn['spans']): Agreement {
  let [ours, theirs, differingSpans, differingNotes] = [0, 0, 0, 0];
  for (const note of new Set([...own.keys(), ...other.keys()])) {
    const [a, b] = [new Set(own.get(note)), new Set(other.get(note))];
    const different = a.symmetricDifference(b).size;
    ours += a.size;
    theirs += b.size;
    differingSpans += different;
    if (different > 0 || !own.has(note) || !other.has(note)) differingNotes++;
  }
  const both = ours + theirs;
  return {
    spans: theirs,
    differingSpans,
    differingNotes,
    agreement: both === 0 ? 1 : (both - differingSpans) / both,
  };
}
