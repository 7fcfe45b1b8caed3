/** What is measured on which corpus: gold types on one side, heads of the model on the other. One table, used on dev and test alike. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** A served head by its task, or a corpus head by corpus and type. */
export type Channel = { readonly task: string } | { readonly corpus: string; readonly type: string };

export interface Measure {
  readonly label: string;
  /** Gold spans of any of these types are wanted. */
  readonly types: readonly string[];
  /** A word is found when any of these heads is Inside. */
  readonly channels: readonly Channel[];
}

export interface TestSet {
  readonly name: string;
  readonly file: string;
  /** Short statement of origin and licence, for the model card. */
  readonly origin: string;
  readonly measures: readonly Measure[];
}

const served = (task: string): Channel => ({ task });
const own = (corpus: string, type: string): Channel => ({ corpus, type });
const PROBLEM = [served('disease'), served('symptom')];

/** The three tasks under the product's own guidelines. */
export const SERVED_MEASURES: readonly Measure[] = ['medication', 'disease', 'symptom'].map(task => ({
  label: task,
  types: [task],
  channels: [served(task)],
}));

export const TEACHER_NOTES: TestSet = {
  name: 'Teacher notes',
  file: 'teacher/notes.jsonl',
  // where nothing more is known (card-notes.ts)
  origin: "the user's notes, labelled by teachers that the user chose",
  measures: SERVED_MEASURES,
};

export const NCBI_TYPES = ['DiseaseClass', 'SpecificDisease', 'CompositeMention', 'Modifier'];

export const TEST_SETS: readonly TestSet[] = [
  TEACHER_NOTES,
  {
    name: 'NCBI Disease',
    file: 'gold/ncbi_disease.jsonl',
    origin: 'PubMed abstracts, human annotation; US Government work',
    measures: [
      { label: 'disease', types: NCBI_TYPES, channels: [served('disease')] },
      { label: 'disease (own head)', types: NCBI_TYPES, channels: [own('ncbi_disease', 'disease')] },
    ],
  },
  {
    name: 'MACCROBAT',
    file: 'gold/maccrobat.jsonl',
    origin: 'clinical case reports, human annotation; CC BY 4.0',
    measures: [
      { label: 'medication', types: ['Medication'], channels: [served('medication')] },
      { label: 'medication (own head)', types: ['Medication'], channels: [own('maccrobat', 'medication')] },
      { label: 'problem', types: ['Disease_disorder', 'Sign_symptom'], channels: PROBLEM },
      {
        label: 'problem (own heads)',
        types: ['Disease_disorder', 'Sign_symptom'],
        channels: [own('maccrobat', 'disease'), own('maccrobat', 'symptom')],
      },
      { label: 'disease (own head)', types: ['Disease_disorder'], channels: [own('maccrobat', 'disease')] },
      { label: 'symptom (own head)', types: ['Sign_symptom'], channels: [own('maccrobat', 'symptom')] },
    ],
  },
  {
    name: 'BC5CDR',
    file: 'gold/bc5cdr.jsonl',
    origin: 'PubMed abstracts, human annotation; NLM, free',
    measures: [
      { label: 'chemical (medication head)', types: ['Chemical'], channels: [served('medication')] },
      { label: 'chemical (own head)', types: ['Chemical'], channels: [own('bc5cdr', 'chemical')] },
      { label: 'disease (own head)', types: ['Disease'], channels: [own('bc5cdr', 'disease')] },
      { label: 'disease (problem heads)', types: ['Disease'], channels: PROBLEM },
    ],
  },
  {
    name: 'HPO GSC',
    file: 'gold/hpo_gsc.jsonl',
    origin: 'PubMed abstracts, human annotation of phenotypes; MIT / NLM',
    measures: [{ label: 'phenotype (problem heads)', types: ['Phenotype'], channels: PROBLEM }],
  },
];

/** Those whose file is there: teacher notes must be, the human corpora may. @param own one more, the user's. */
export function testSetsIn(corpusDirectory: string, own?: TestSet): TestSet[] {
  const known = TEST_SETS.filter(each => each === TEACHER_NOTES || existsSync(join(corpusDirectory, each.file)));
  return own === undefined ? known : [...known, own];
}

/** Corpora that train the model and are not measured: their guidelines differ most from the product's. */
export const TRAINING_ONLY: readonly { readonly name: string; readonly file: string; readonly origin: string }[] = [
  { name: 'BioRED', file: 'gold/biored.jsonl', origin: 'PubMed abstracts, human annotation; NLM, free' },
  { name: 'PHEE', file: 'gold/phee.jsonl', origin: 'sentences on adverse events, human annotation; MIT' },
  { name: 'CHIA', file: 'gold/chia.jsonl', origin: 'trial eligibility criteria, human annotation; CC BY 4.0' },
];
