/**
 * Marks the names that open ontologies know, on this machine and for nothing. A dictionary knows names and no context: it is a steady
 * second opinion, not a judge, and what it scores stands in ontologies/README.md.
 */
import type { Task } from '../core/span.ts';
import { stretchesOf } from '../text/breaks.ts';
import { toNormalWords } from '../text/normal-words.ts';
import { toPieces } from '../text/pieces.ts';
import type { GatedNote } from '../text/privacy-gate.ts';
import { sha256 } from './frame.ts';
import { ONTOLOGIES, ontologySha256, readOntology, SYSTEMS } from './ontology-files.ts';
import type { Quote, Reply, Teacher, TeacherRequest } from './teacher.ts';
import { TeacherError } from './teacher-error.ts';
import type { Term, TermIndex } from './term-index.ts';

/** Part of the request's key: rises when the same file would give other answers. */
const MATCHING = '3';

const FREE = { inputTokens: 0, outputTokens: 0, usd: 0 } as const;

export interface DictionaryOptions {
  readonly name?: string;
  /** All that have a dictionary when absent. */
  readonly tasks?: readonly Task[];
  /** Milliseconds, for the time a reply took. */
  readonly now?: () => number;
}

export class DictionaryTeacher implements Teacher {
  readonly name: string;
  readonly provider = 'dictionary';
  readonly tasks: readonly Task[];
  readonly host = null;
  readonly #now: () => number;
  readonly #indexes = new Map<Task, TermIndex>();
  readonly #hashes = new Map<Task, string>();

  /** @throws RangeError for a task without a dictionary */
  constructor({ name = 'dictionary', tasks, now = () => performance.now() }: DictionaryOptions = {}) {
    this.name = name;
    this.tasks = tasks ?? Object.keys(ONTOLOGIES);
    for (const task of this.tasks) ontologyOf(task);
    this.#now = now;
  }

  /** One request for the whole note, however long. @throws RangeError for a task without a dictionary. */
  plan(note: GatedNote, task: Task): readonly TeacherRequest[] {
    const { text } = note;
    if (text === '') return [];
    const pieces = toPieces(text);
    const key = {
      textSha256: sha256(text),
      task,
      promptSha256: sha256(`${this.#hash(task)} ${MATCHING}`),
      model: `${ontologyOf(task)}-dictionary`,
    };
    return [{ key, task, section: { start: 0, end: pieces.points[pieces.count] as number }, text, atMost: FREE }];
  }

  /** @throws TeacherError TEACHER_TIMEOUT when the signal has aborted already. */
  async ask(request: TeacherRequest, signal: AbortSignal): Promise<Reply> {
    if (signal.aborted) throw new TeacherError('TEACHER_TIMEOUT', `${this.name}: given up before it began`);
    const from = this.#now();
    const quotes = this.annotate(request.text, request.task);
    return { quotes, usage: { ...FREE, ms: this.#now() - from } };
  }

  /** The mentions of a text, each with its place in code points, its spelling in the text, and the code where the source has one. */
  annotate(text: string, task: Task): Quote[] {
    const pieces = toPieces(text);
    const index = this.#index(task);
    return stretchesOf(pieces, toNormalWords(pieces)).flatMap(normal =>
      index.match(pieces, normal).map(({ term, first, last }) => {
        const from = normal.pieces[first] as number;
        const to = (normal.pieces[last - 1] as number) + 1;
        return {
          text: text.slice(pieces.units[from], pieces.units[to]),
          at: { start: pieces.points[from] as number, end: pieces.points[to] as number },
          ...codesOf(term),
        };
      }),
    );
  }

  #index(task: Task): TermIndex {
    const known = this.#indexes.get(task);
    if (known !== undefined) return known;
    const { terms } = readOntology(ontologyOf(task));
    this.#indexes.set(task, terms);
    return terms;
  }

  #hash(task: Task): string {
    const known = this.#hashes.get(task);
    if (known !== undefined) return known;
    const hash = ontologySha256(ontologyOf(task));
    this.#hashes.set(task, hash);
    return hash;
  }
}

function ontologyOf(task: Task): string {
  const name = ONTOLOGIES[task];
  if (name === undefined) throw new RangeError(`no dictionary for the task ${task}`);
  return name;
}

function codesOf({ name, code, source }: Term): Pick<Quote, 'codes'> {
  const system = SYSTEMS[source] ?? null;
  return system === null || code === '' ? {} : { codes: [{ system, code, display: name }] };
}
