/** What becomes of notes that a candidate model reads beside the serving one. */
import { Counter, type Registry } from 'prom-client';
import type { Reports } from './report.ts';

export type ShadowFactKind = 'note.shadowed' | 'record.passed-over';

export function shadowReports(registry: Registry): Reports<ShadowFactKind> {
  const registers = [registry];
  const notes = new Counter({
    name: 'clinstream_shadow_notes_total',
    help: 'Notes that both models tagged.',
    registers,
  });
  const words = new Counter({ name: 'clinstream_shadow_words_total', help: 'Words of those notes.', registers });
  const apart = new Counter({
    name: 'clinstream_shadow_words_apart_total',
    help: 'Words that one of the two models marks and the other does not; neither is the truth.',
    labelNames: ['task'],
    registers,
  });
  const passed = new Counter({
    name: 'clinstream_shadow_records_passed_over_total',
    help: 'Records that were not compared: no note, a note refused, or a model without an answer.',
    labelNames: ['code'],
    registers,
  });
  return {
    'note.shadowed': {
      level: 'debug',
      message: 'note tagged by both models',
      fields: fact => ({ noteId: fact.noteId, words: fact.words, apart: fact.apart }),
      measure: fact => {
        notes.inc();
        words.inc(fact.words);
        for (const [task, count] of Object.entries(fact.apart)) apart.inc({ task }, count);
      },
    },
    'record.passed-over': {
      level: 'debug',
      message: 'record not compared',
      fields: fact => ({
        code: fact.code,
        topic: fact.topic,
        partition: fact.partition,
        offset: String(fact.offset),
      }),
      measure: ({ code }) => passed.inc({ code }),
    },
  };
}
