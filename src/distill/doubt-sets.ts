/**
 * On which documents doubt is measured, and which gold types stand for a task there. Score and thresholds come from the first set only, which
 * a corpus directory must have; the others are measured where they are there.
 */
import type { Task } from '../core/span.ts';
import type { Split } from './corpus.ts';
import { NCBI_TYPES, TEACHER_NOTES } from './test-sets.ts';

export interface DoubtSet {
  readonly name: string;
  readonly file: string;
  readonly split: Split;
  /** `choose`: score and thresholds come from here. `compare`: other guidelines. `test`: reported once, never chosen on. */
  readonly use: 'choose' | 'compare' | 'test';
  readonly types: Readonly<Record<Task, readonly string[]>>;
}

const NOTES = { name: TEACHER_NOTES.name, file: TEACHER_NOTES.file };
const OWN_TYPES = { medication: ['medication'], disease: ['disease'], symptom: ['symptom'] };

export const CHOSEN_ON: DoubtSet = { ...NOTES, split: 'dev', use: 'choose', types: OWN_TYPES };

export const DOUBT_SETS: readonly DoubtSet[] = [
  CHOSEN_ON,
  {
    name: 'NCBI Disease',
    file: 'gold/ncbi_disease.jsonl',
    split: 'dev',
    use: 'compare',
    types: { disease: NCBI_TYPES },
  },
  {
    name: 'MACCROBAT',
    file: 'gold/maccrobat.jsonl',
    split: 'dev',
    use: 'compare',
    types: { medication: ['Medication'], disease: ['Disease_disorder'], symptom: ['Sign_symptom'] },
  },
  { ...NOTES, split: 'test', use: 'test', types: OWN_TYPES },
];

/** Such as `MACCROBAT dev`. */
export function nameOf({ name, split }: DoubtSet): string {
  return `${name} ${split}`;
}
