/** The notes that `bench llm` gives to everybody, with their gold labels. */
import { resolve } from 'node:path';
import { ConfigError } from '../../config.ts';
import type { Note } from '../../core/note.ts';
import { byId } from '../../distill/annotators.ts';
import { type CorpusDocument, readRows, type Split } from '../../distill/corpus.ts';

export interface GoldFlags {
  /** Documents {id, split, text, entities}, as `distill` reads them; the project's own when absent. */
  readonly gold?: string;
  readonly split: Split;
  readonly labelledBy?: string;
  readonly deidentified?: string;
  /** At most so many documents. */
  readonly notes: number;
}

export interface GoldNotes {
  readonly documents: readonly CorpusDocument[];
  /** What they are. */
  readonly source: string;
  readonly labelledBy: string;
  readonly deidentified: string;
}

const OWN = resolve(import.meta.dirname, '../../../test/data/quality/teacher-dev.jsonl');
/** Single sections of notes, too short to stand for any. */
const SECTIONS = 'mts_dialog_sections';

/** @throws ConfigError where --gold says not how its notes were de-identified, or there is none; DistillError. */
export function readGoldNotes({ gold, split, labelledBy, deidentified, notes }: GoldFlags): GoldNotes {
  if (gold === undefined) {
    const documents = readRows(OWN, 'dev').filter(({ source }) => source !== SECTIONS);
    return {
      documents: documents.slice(0, notes),
      source: 'dev notes of ACI-BENCH and PriMock57 (test/data/quality/teacher-dev.jsonl)',
      labelledBy:
        "a language model (Claude), not of clinicians: agreement with a teacher, on dev notes, on which the tagger's thresholds and settings were chosen, so clinstream's is a little too good",
      deidentified: 'role-played, no real patient',
    };
  }
  if (deidentified === undefined || deidentified.trim() === '')
    throw new ConfigError('CONFIG_INVALID', '--gold needs --deidentified: say how its notes were de-identified');
  const documents = readRows(resolve(gold), split).slice(0, notes);
  byId(documents, gold);
  if (documents.length === 0) throw new ConfigError('CONFIG_INVALID', `--gold: ${gold} has no ${split} document`);
  return { documents, source: `${split} notes of ${gold}`, labelledBy: labelledBy ?? gold, deidentified };
}

/** As a note on the notes topic; each document is a patient of its own. */
export function asNote({ id, text }: CorpusDocument, deidentified: string): Note {
  return {
    noteId: id,
    noteVersion: 1,
    patientId: id,
    encounterId: null,
    noteType: 'corpus',
    authoredAt: 0,
    specialty: null,
    source: 'corpus',
    text,
    deidentification: { method: deidentified, version: '1' },
  };
}
