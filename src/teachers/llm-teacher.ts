/** A language model as a teacher: sections and stable keys before, quotes and costs after; the provider is behind `chat.ts`. */
import type { Task } from '../core/span.ts';
import { CodePointIndex } from '../text/code-points.ts';
import type { GatedNote } from '../text/privacy-gate.ts';
import type { Chat, ChatAnswer } from './chat.ts';
import { frame, sha256 } from './frame.ts';
import { stopped } from './guarded-fetch.ts';
import type { GuidelineText } from './guideline-text.ts';
import { withOwnSignal } from './own-signal.ts';
import { type Price, usdOf } from './price-list.ts';
import { instructionsFor, promptSha256 } from './prompts.ts';
import { parseReply, REPLY_SCHEMA } from './reply.ts';
import { type SectionSize, sectionsOf } from './sections.ts';
import type { Reply, Teacher, TeacherRequest, Usage } from './teacher.ts';
import { type TeacherCode, TeacherError } from './teacher-error.ts';
import { tokensAtMost } from './token-bound.ts';

export interface LlmTeacherOptions {
  readonly name: string;
  readonly provider: string;
  readonly model: string;
  readonly tasks: readonly Task[];
  /** Instead of the built-in ones. */
  readonly guidelines?: GuidelineText | undefined;
  readonly chat: Chat;
  readonly price: Price;
  readonly section: SectionSize;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

const SCHEMA_TEXT = JSON.stringify(REPLY_SCHEMA);

export class LlmTeacher implements Teacher {
  readonly name: string;
  readonly provider: string;
  readonly tasks: readonly Task[];
  readonly host: string;
  readonly #options: LlmTeacherOptions;
  readonly #prompts: ReadonlyMap<Task, { readonly instructions: string; readonly sha256: string }>;

  /** @throws RangeError for a task of which no guideline says anything */
  constructor(options: LlmTeacherOptions) {
    this.#options = options;
    this.name = options.name;
    this.provider = options.provider;
    this.tasks = options.tasks;
    this.host = options.chat.host;
    this.#prompts = new Map(
      options.tasks.map(task => [
        task,
        {
          instructions: instructionsFor(task, options.guidelines),
          sha256: promptSha256(task, options.chat.settings, options.guidelines),
        },
      ]),
    );
  }

  plan(note: GatedNote, task: Task): TeacherRequest[] {
    const prompt = this.#prompt(task);
    const index = new CodePointIndex(note.text);
    return sectionsOf(note.text, this.#options.section).flatMap(section => {
      const text = index.slice(section.start, section.end);
      // white space has no mentions, and asking costs money
      if (text.trim() === '') return [];
      const key = { textSha256: sha256(text), task, promptSha256: prompt.sha256, model: this.#options.model };
      return [{ key, task, section, text, atMost: this.#atMost(prompt.instructions, text) }];
    });
  }

  async ask(request: TeacherRequest, signal: AbortSignal): Promise<Reply> {
    if (signal.aborted) throw stopped(this.name);
    const { instructions } = this.#prompt(request.task);
    const began = this.#options.now();
    let answer: ChatAnswer;
    try {
      answer = await withOwnSignal(signal, own =>
        this.#options.chat.ask({ instructions, text: frame(request.text), signal: own }),
      );
    } catch (error) {
      throw this.#translate(error, signal);
    }
    const usage = this.#usage(answer, request, this.#since(began));
    return { quotes: this.#quotes(answer, usage), usage };
  }

  #since(began: number): number {
    return Math.max(0, this.#options.now() - began);
  }

  #prompt(task: Task) {
    const prompt = this.#prompts.get(task);
    if (prompt === undefined) throw new RangeError(`${this.name} was not configured for the task ${task}`);
    return prompt;
  }

  #atMost(instructions: string, text: string): TeacherRequest['atMost'] {
    const inputTokens = tokensAtMost(instructions, SCHEMA_TEXT, frame(text));
    const outputTokens = this.#options.chat.maxOutputTokens;
    return { inputTokens, outputTokens, usd: usdOf(this.#options.price, { inputTokens, outputTokens }) };
  }

  /** What the server did not count is taken at its bound: a budget may be too careful, never too generous. */
  #usage(answer: ChatAnswer, { atMost }: TeacherRequest, ms: number): Usage {
    const inputTokens = answer.inputTokens ?? atMost.inputTokens;
    const outputTokens = answer.outputTokens ?? atMost.outputTokens;
    return { inputTokens, outputTokens, usd: usdOf(this.#options.price, { inputTokens, outputTokens }), ms };
  }

  #quotes({ end, text }: ChatAnswer, usage: Usage): Reply['quotes'] {
    if (end === 'refused') throw this.#unusable('REPLY_REFUSED', 'refused to answer, or a filter stopped it', usage);
    if (end === 'cut') throw this.#unusable('REPLY_CUT', 'stopped before its answer was whole', usage);
    if (end === 'empty') throw this.#unusable('REPLY_EMPTY', 'answered nothing', usage);
    const parsed = parseReply(text);
    if (parsed.kind === 'not-json') throw this.#unusable('REPLY_NOT_JSON', 'did not answer in JSON', usage);
    if (parsed.kind === 'wrong-schema') {
      throw this.#unusable('REPLY_WRONG_SCHEMA', 'answered in JSON of another shape than asked for', usage);
    }
    return parsed.quotes;
  }

  #unusable(code: TeacherCode, what: string, usage: Usage): TeacherError {
    const details = { teacher: this.name, model: this.#options.model };
    return new TeacherError(code, `${this.name} ${what}`, { details, usage });
  }

  /** A client wraps what `guarded-fetch.ts` threw; of errors of its own only the name is kept, since they quote bodies and headers. */
  #translate(error: unknown, signal: AbortSignal): TeacherError {
    for (let one = error, depth = 0; one instanceof Error && depth < 5; one = one.cause, depth++) {
      if (one instanceof TeacherError) return one;
    }
    if (signal.aborted) return stopped(this.name);
    const kind = error instanceof Error ? error.constructor.name : typeof error;
    const about = { teacher: this.name, kind };
    const message = `asking ${this.name} failed (${kind})`;
    if (kind === 'APIConnectionTimeoutError') return new TeacherError('TEACHER_TIMEOUT', message, { details: about });
    // `guarded-fetch.ts` had let the answer through, which the client could make nothing of
    return new TeacherError('TEACHER_FAILED', message, { details: { ...about, status: 200 } });
  }
}
