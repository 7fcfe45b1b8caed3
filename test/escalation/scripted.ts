/** Teachers that do as a test says, and the parts around them: the port is real, what is behind it is not. */
import { createHash } from 'node:crypto';
import type { Note } from '../../src/core/note.ts';
import type { OutgoingRecord } from '../../src/core/record.ts';
import type { Entity } from '../../src/core/span.ts';
import type { Ground, Placed } from '../../src/escalation/merge.ts';
import { entitiesEvent } from '../../src/events/entities-event.ts';
import { createEscalationCodec, escalationEvent } from '../../src/events/escalation-event.ts';
import type { Reply, Teacher, TeacherRequest, Usage } from '../../src/teachers/teacher.ts';
import { type TeacherCode, TeacherError, type TeacherErrorOptions } from '../../src/teachers/teacher-error.ts';
import { CodePointIndex } from '../../src/text/code-points.ts';
import type { GatedNote } from '../../src/text/privacy-gate.ts';

export const USAGE: Usage = { inputTokens: 100, outputTokens: 10, usd: 0.01, ms: 5 };

export type Script = (request: TeacherRequest, count: number, signal: AbortSignal) => Reply | Promise<Reply>;

export function reply(...texts: readonly string[]): Reply {
  return { quotes: texts.map(text => ({ text })), usage: USAGE };
}

export function refuse(code: TeacherCode, options: TeacherErrorOptions = {}): never {
  throw new TeacherError(code, 'scripted', options);
}

/** Answers never, until it is aborted; then as a client would. */
export function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new TeacherError('TEACHER_TIMEOUT', 'scripted')));
  });
}

export class Scripted implements Teacher {
  readonly name: string;
  readonly provider: string;
  readonly host: string | null;
  readonly tasks = ['medication', 'symptom'];
  readonly asked: TeacherRequest[] = [];
  readonly #usd: number;
  readonly #sectionPoints: number;
  readonly #inputTokens: (text: string) => number;
  script: Script;

  constructor(
    name: string,
    script: Script,
    options: {
      provider?: string;
      host?: string | null;
      usd?: number;
      sectionPoints?: number;
      inputTokens?: (text: string) => number;
    } = {},
  ) {
    this.name = name;
    this.script = script;
    this.provider = options.provider ?? name;
    this.host = options.host === undefined ? `${name}.example` : options.host;
    this.#usd = options.usd ?? 0.02;
    this.#sectionPoints = options.sectionPoints ?? 1_000_000;
    this.#inputTokens = options.inputTokens ?? (() => 200);
  }

  plan(note: GatedNote, task: string): TeacherRequest[] {
    const index = new CodePointIndex(note.text);
    const requests: TeacherRequest[] = [];
    for (let start = 0; start < index.length; start += this.#sectionPoints) {
      const section = { start, end: Math.min(index.length, start + this.#sectionPoints) };
      const text = index.slice(section.start, section.end);
      const textSha256 = createHash('sha256').update(text).digest('hex');
      const key = { textSha256, task, promptSha256: 'prompt-1', model: this.name };
      const atMost = { inputTokens: this.#inputTokens(text), outputTokens: 50, usd: this.#usd };
      requests.push({ key, task, section, text, atMost });
    }
    return requests;
  }

  async ask(request: TeacherRequest, signal: AbortSignal): Promise<Reply> {
    this.asked.push(request);
    return this.script(request, this.asked.length, signal);
  }
}

/** Every occurrence, letter by letter: all that these tests need of grounding, whose own tests are elsewhere. */
export const exactly: Ground = (note, sections) => {
  const index = new CodePointIndex(note);
  const placed = new Map<number, Placed>();
  const dropped: { reason: string }[] = [];
  let exact = 0;
  for (const { section, quotes } of sections) {
    for (const { text, codes } of quotes) {
      const length = new CodePointIndex(text).length;
      let found = 0;
      for (let start = section.start; start + length <= section.end; start++) {
        if (index.slice(start, start + length) !== text) continue;
        placed.set(start, { start, end: start + length, ...(codes === undefined ? {} : { codes }) });
        found++;
      }
      if (found === 0) dropped.push({ reason: 'not-found' });
      else exact++;
    }
  }
  return { placed: [...placed.values()].sort((a, b) => a.start - b.start), dropped, aligned: { exact } };
};

export function noteOf(id: number | string, fields: Partial<Note> = {}): Note {
  return {
    noteId: `n-${id}`,
    noteVersion: 1,
    patientId: `p-${id}`,
    encounterId: null,
    noteType: 'progress',
    authoredAt: 1_000,
    specialty: null,
    source: 'test',
    text: `Note ${id}: takes aspirin 💊 for a headache.`,
    deidentification: { method: 'synthetic', version: '1' },
    ...fields,
  };
}

export const MODEL = { name: 'student', version: '1', sha256: 'ab'.repeat(32) };
const codec = createEscalationCodec();

/** A note as the tagger escalates it: aspirin found, the doubted tasks to be asked. */
export async function escalated(
  note: Note,
  { tasks = ['symptom'], escalatedAt = Date.now(), topic = 'escalations' } = {},
): Promise<OutgoingRecord> {
  const start = note.text.indexOf('aspirin');
  const aspirin: Entity[] =
    start < 0 ? [] : [{ task: 'medication', start, end: start + 7, text: 'aspirin', confidence: 0.9 }];
  const entities = entitiesEvent({
    note,
    entities: aspirin,
    tasks: [
      { task: 'medication', confidence: 0.9, decidedBy: 'student' },
      { task: 'symptom', confidence: 0.3, decidedBy: 'student' },
    ],
    model: MODEL,
    status: 'PROVISIONAL',
    revision: 1,
    taggedAt: 2_000,
  });
  const doubts = tasks.map(task => ({ task, score: 'expected-errors', value: 2, threshold: 1 }));
  const event = escalationEvent({ note, entities, doubts, escalatedAt });
  return { topic, key: Buffer.from(note.patientId), value: await codec.encode(event), headers: {} };
}
