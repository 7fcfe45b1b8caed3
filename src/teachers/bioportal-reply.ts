/**
 * What the NCBO Annotator answers: classes, each with the places where one of its names stands; offsets begin at 1 and include the last
 * character. Each is believed only where the text that was sent says so.
 */
import { z } from 'zod';
import { CodePointIndex } from '../text/code-points.ts';
import { isRecord } from './error-body.ts';
import type { Code, Quote } from './teacher.ts';
import { TeacherError } from './teacher-error.ts';

const replySchema = z.array(
  z.object({
    annotatedClass: z.object({
      '@id': z.string(),
      prefLabel: z.string().nullish(),
      links: z.object({ ontology: z.string() }),
    }),
    annotations: z.array(z.object({ from: z.int(), to: z.int(), text: z.string() })),
  }),
);

export interface BioportalReply {
  readonly name: string;
  readonly body: string;
  /** The section of the note. */
  readonly text: string;
  /** What was sent for it: one ASCII character for each code point. */
  readonly mirror: string;
}

/**
 * One quote a place, with the codes of all classes that name it, in text order.
 *
 * @throws TeacherError TEACHER_FAILED, REPLY_WRONG_SCHEMA; neither tells what was answered, which may hold text of the note.
 */
export function readBioportalReply({ name, body, text, mirror }: BioportalReply): Quote[] {
  const answer = parse(name, body);
  if (isFailure(answer)) throw failed(name, 'an error in the place of annotations');
  const reply = replySchema.safeParse(answer);
  if (!reply.success) throw new TeacherError('REPLY_WRONG_SCHEMA', `${name}: the answer is not a list of annotations`);
  const index = new CodePointIndex(text);
  const places = new Map<string, { start: number; end: number; codes: Map<string, Code> }>();
  let given = 0;
  for (const { annotatedClass, annotations } of reply.data) {
    const code = codeOf(annotatedClass);
    for (const { from, to, text: said } of annotations) {
      given++;
      const [start, end] = [from - 1, to];
      if (start < 0 || end <= start || mirror.slice(start, end).toUpperCase() !== said.toUpperCase()) continue;
      const place = places.get(`${start}-${end}`) ?? { start, end, codes: new Map<string, Code>() };
      place.codes.set(`${code.system} ${code.code}`, code);
      places.set(`${start}-${end}`, place);
    }
  }
  if (given > 0 && places.size === 0)
    throw new TeacherError('REPLY_WRONG_SCHEMA', `${name}: none of its ${given} offsets fits the text`);
  return [...places.values()]
    .sort((a, b) => a.start - b.start || b.end - a.end)
    .map(({ start, end, codes }) => ({
      text: index.slice(start, end),
      at: { start, end },
      codes: [...codes.values()],
    }));
}

/** The last part of the class's address is its code, that of the ontology's address its acronym. */
function codeOf({ '@id': id, prefLabel, links }: z.infer<typeof replySchema>[number]['annotatedClass']): Code {
  const code = lastPart(id);
  return { system: lastPart(links.ontology), code, display: prefLabel ?? code };
}

function lastPart(address: string): string {
  return address.split(/[/#]/).at(-1) ?? address;
}

function parse(name: string, body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // such as the page of a proxy: the annotator itself has no model that could answer anything else
    throw failed(name, 'not JSON');
  }
}

/** The shape of its own errors, and of those of whatever stands before it. */
function isFailure(answer: unknown): boolean {
  return isRecord(answer) && ['errors', 'error'].some(key => (answer[key] ?? null) !== null);
}

function failed(name: string, what: string): TeacherError {
  return new TeacherError('TEACHER_FAILED', `${name}: the answer is ${what}`, {
    details: { teacher: name, status: 200 },
  });
}
