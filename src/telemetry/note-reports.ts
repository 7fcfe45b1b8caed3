/** What becomes of notes: tagged, or refused. */
import { Counter, Histogram, type Registry } from 'prom-client';
import { type Reports, SECONDS } from './report.ts';

export type NoteFactKind = 'note.tagged' | 'record.dead-lettered';

const STAGES = ['decode', 'tokenize', 'infer', 'assemble'] as const;

export function noteReports(registry: Registry): Reports<NoteFactKind> {
  const registers = [registry];
  const notes = new Counter({ name: 'clinstream_notes_total', help: 'Notes tagged.', registers });
  const tokens = new Counter({ name: 'clinstream_note_tokens_total', help: 'Tokens of the notes tagged.', registers });
  const windows = new Counter({
    name: 'clinstream_note_windows_total',
    help: 'Windows of the notes tagged.',
    registers,
  });
  const entities = new Counter({
    name: 'clinstream_entities_total',
    help: 'Mentions found.',
    labelNames: ['task'],
    registers,
  });
  const latency = new Histogram({
    name: 'clinstream_note_stage_seconds',
    help: 'Time that a note spent in each stage of the fast path, waiting included.',
    labelNames: ['stage'],
    buckets: SECONDS,
    registers,
  });
  const refused = new Counter({
    name: 'clinstream_dead_letters_total',
    help: 'Records sent to the dead-letter topic.',
    labelNames: ['stage', 'code'],
    registers,
  });

  return {
    'note.tagged': {
      level: 'debug',
      message: 'note tagged',
      fields: fact => ({
        noteId: fact.noteId,
        tokens: fact.tokens,
        windows: fact.windows,
        entities: fact.entities,
        stageMs: Object.fromEntries(STAGES.map(stage => [stage, fact.stageMs[stage]])),
      }),
      measure: fact => {
        notes.inc();
        tokens.inc(fact.tokens);
        windows.inc(fact.windows);
        for (const [task, count] of Object.entries(fact.entities)) entities.inc({ task }, count);
        for (const stage of STAGES) latency.observe({ stage }, fact.stageMs[stage] / 1000);
      },
    },
    'record.dead-lettered': {
      level: 'warn',
      message: 'record sent to the dead letters',
      fields: fact => ({
        stage: fact.stage,
        code: fact.code,
        topic: fact.topic,
        partition: fact.partition,
        offset: String(fact.offset),
      }),
      measure: ({ stage, code }) => refused.inc({ stage, code }),
    },
  };
}
