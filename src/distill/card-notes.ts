/** What the card says of the teacher's notes: whose they are is known of those that the shipped models learnt from alone, by the file's hash. */
import type { Manifest } from '../model/manifest.ts';
import type { Metrics } from './evaluate.ts';
import { TEACHER_NOTES, TEST_SETS } from './test-sets.ts';

/** As the first teacher left it, and with what `distill attach` adds of models/labels; dev and test are the same. */
const SHIPPED = [
  'b62a63766bc05135e3453222cbe933721a20e85818c58bbdc9bac088a8f4e19a',
  '3611ce4c62b377b184a3ca6b4e9503391020478add23705adb74f6aefb853d11',
];

const OURS =
  'labels by an LLM (Claude) under written guidelines, on mtsamples, ACI-BENCH, PriMock57, MTS-Dialog, E3C and MedQuAD notes';

type Data = Metrics['data'];

export interface NotesWords {
  readonly notes: string;
  /** List items. */
  readonly limits: string;
  /** Of the notes learnt from, and of those measured on. */
  readonly origins: { readonly train: string; readonly measured: string };
  readonly challenge: string;
  readonly failures: string;
}

export function describeNotes({ heads, training }: Manifest, { data, results }: Metrics): NotesWords {
  const learnt = training.data as Data;
  const [trainedOnOurs, measuredOnOurs] = [isShipped(learnt), isShipped(data)];
  const originOf = (ours: boolean): string => (ours ? OURS : TEACHER_NOTES.origin);
  const origins = { train: originOf(trainedOnOurs), measured: originOf(measuredOnOurs) };
  const known = hashOf(learnt) === undefined ? measuredOnOurs : trainedOnOurs;
  if (!known) return { ...unknown(heads.map(({ task }) => task)), origins };
  const alone = measuredOnOurs && results.every(({ set }) => TEST_SETS.some(({ name }) => name === set));
  return { ...ofOurs(alone), origins };
}

/** Whether the teacher's notes among these files are those that the shipped models learnt from. */
export function isShipped(data: Data): boolean {
  const hash = hashOf(data);
  return hash !== undefined && SHIPPED.includes(hash);
}

function hashOf(data: Data): string | undefined {
  return data.find(({ file }) => file === TEACHER_NOTES.file)?.sha256;
}

/** @param alone nothing of the user's was measured. */
function ofOurs(alone: boolean): Omit<NotesWords, 'origins'> {
  const measured = alone
    ? `Not measured on languages other than English, on hand-written or OCR text, or on real
  hospital notes: the notes below are public transcriptions, role-played visits and case reports.`
    : `Not measured on other notes than those of the sets below; those learnt from are
  public transcriptions, role-played visits and case reports in English.`;
  return {
    notes: 'clinical notes in English',
    limits: `- Marks every mention of a medication, disease or symptom in de-identified English notes, whatever its assertion: a denied symptom
  is marked too. It does not say whether the patient has it, and it does not de-identify.
- Not for clinical decisions without review. ${measured}
- The notes' labels come from an LLM, not from clinicians. "Teacher notes" measures agreement with that teacher.`,
    challenge: 'shapes that the sets above have little of',
    failures: `MACCROBAT's guidelines split "chest pain" into
site and sign, so its scores for problems understate a tagger that follows ours; offsets`,
  };
}

function unknown(tasks: readonly string[]): Omit<NotesWords, 'origins'> {
  return {
    notes: 'clinical notes',
    limits: `- Marks mentions (${tasks.join(', ')}) in de-identified notes as the labels do that it learnt from: whether a denied one is
  marked too depends on them. It does not say whether the patient has what is mentioned, and it does not de-identify.
- Not for clinical decisions without review. Measured on the sets below and on nothing else; where the teacher's notes come from, and in
  what language and form they are, is not recorded.
- The notes' labels come from teachers that the user chose: from which, and under what guidelines, is not recorded. "Teacher notes"
  measures agreement with these labels.`,
    challenge: 'shapes that few notes have',
    failures: 'offsets',
  };
}
