/** Temperature and threshold of each served head, from the teacher's dev notes and nothing else. */
import { bestThreshold, calibrationError, fitTemperature, type Judged } from '../evaluation/calibration.ts';
import type { Manifest } from '../model/manifest.ts';
import { labelWords, MISSING } from '../text/words.ts';
import type { ScoredDocument } from './score-documents.ts';

type ManifestHead = Manifest['heads'][number];

export interface Calibration {
  readonly task: string;
  readonly ece: number;
  /** Over words with a probability between 1 % and 99 % only. */
  readonly eceUndecided: number;
  readonly words: number;
}

/** Words of all documents with the head's logit and whether the word is Inside; words that a span cuts are left out. */
export function judged(documents: readonly ScoredDocument[], task: string, at: number, heads: number): Judged {
  const logits: number[] = [];
  const inside: number[] = [];
  for (const { document, words } of documents) {
    const gold = labelWords(
      words,
      document.entities.filter(each => each.type === task),
    );
    for (let i = 0; i < words.count; i++) {
      if (gold[i] === MISSING) continue;
      logits.push(words.logits[i * heads + at] as number);
      inside.push(gold[i] as number);
    }
  }
  return { logits: Float32Array.from(logits), inside: Uint8Array.from(inside) };
}

export function calibrate(documents: readonly ScoredDocument[], tasks: readonly string[]): ManifestHead[] {
  return tasks.map((task, at) => {
    const words = judged(documents, task, at, tasks.length);
    const temperature = round(fitTemperature(words));
    return {
      task,
      labels: ['O', 'I'],
      threshold: bestThreshold(words, temperature),
      temperature,
      ece: round(calibrationError(words, temperature)),
    };
  });
}

export function calibrationOf(documents: readonly ScoredDocument[], heads: readonly ManifestHead[]): Calibration[] {
  return heads.map(({ task, temperature }, at) => {
    const words = judged(documents, task, at, heads.length);
    return {
      task,
      ece: calibrationError(words, temperature),
      eceUndecided: calibrationError(words, temperature, true),
      words: words.logits.length,
    };
  });
}

function round(value: number): number {
  return Number(value.toFixed(4));
}
