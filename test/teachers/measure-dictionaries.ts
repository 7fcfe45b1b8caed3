/** `node test/teachers/measure-dictionaries.ts CORPUS`: what the dictionaries score on dev splits, beside the numbers in ontologies/README.md. */
import { join, resolve } from 'node:path';
import { readCorpus } from '../../src/distill/corpus.ts';
import { measureAnnotator } from '../../src/distill/measure-annotator.ts';
import { TextTokenizer } from '../../src/model/tokenizer.ts';
import { DictionaryTeacher } from '../../src/teachers/dictionary-teacher.ts';
import { MODEL_DIRECTORY } from '../support/model.ts';
import { dictionarySpans } from './dictionary-spans.ts';

const SETS = [
  {
    file: 'gold/maccrobat.jsonl',
    types: { medication: 'Medication', disease: 'Disease_disorder', symptom: 'Sign_symptom' },
  },
  { file: 'teacher/notes.jsonl', types: { medication: 'medication', disease: 'disease', symptom: 'symptom' } },
];

const directory = process.argv[2];
if (directory === undefined) throw new Error('node test/teachers/measure-dictionaries.ts CORPUS_DIRECTORY');
const tokenizer = new TextTokenizer(join(MODEL_DIRECTORY, 'tokenizer.json'));
const annotate = dictionarySpans(new DictionaryTeacher());
for (const { file, types } of SETS) {
  const documents = readCorpus(resolve(directory), file, 'dev');
  for (const [task, type] of Object.entries(types)) {
    const { precision, recall, f1 } = await measureAnnotator(
      { tokenizer, documents, annotate },
      { task, types: [type] },
    );
    const figures = `P ${precision.toFixed(3)} R ${recall.toFixed(3)} F1 ${f1.toFixed(3)}`;
    process.stdout.write(`${file} dev, ${documents.length} documents, ${task}: ${figures} (token level)\n`);
  }
}
