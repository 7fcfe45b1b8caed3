/**
 * The port of everything that can be asked to annotate a note: an LLM, an ontology service, a dictionary. What a note will need is
 * planned first, without sending anything, as requests that each have a stable key; so whoever sends them can look for a stored
 * reply, hold back what the budget forbids, and pay for each request once. A teacher never tries again by itself.
 */
import type { Span, Task } from '../core/span.ts';
import type { GatedNote } from '../text/privacy-gate.ts';

/** What makes two requests the same: the same reply may stand for both. */
export interface RequestKey {
  /** Of the section's text in UTF-8; lower-case hexadecimal. */
  readonly textSha256: string;
  readonly task: Task;
  /** Of everything that is asked around the text: prompt, schema, sampling, and whom: address, deployment, version. */
  readonly promptSha256: string;
  /** As asked for, such as `gpt-4o-mini-2024-07-18`. */
  readonly model: string;
}

/** One call to the provider: one task on one section of one note. */
export interface TeacherRequest {
  readonly key: RequestKey;
  readonly task: Task;
  /** Where the section stands in the note, in code points; a short note is one section. */
  readonly section: Span;
  /** The section's text: the code points [section.start, section.end) of the note. */
  readonly text: string;
  /** What it will use at most, for budgets that must be asked before. */
  readonly atMost: Pick<Usage, 'inputTokens' | 'outputTokens' | 'usd'>;
}

export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** US dollars by the price list (prices.json); 0 for what costs nothing. */
  readonly usd: number;
  /** From sending to the last byte. */
  readonly ms: number;
}

export interface Code {
  readonly system: string;
  readonly code: string;
  readonly display: string;
}

/** A mention in the teacher's words. Where it stands is for grounding to find. */
export interface Quote {
  readonly text: string;
  /** Where annotators that work on offsets say it stands, in code points of the section; LLMs are never asked. */
  readonly at?: Span;
  readonly codes?: readonly Code[];
}

export interface Reply {
  readonly quotes: readonly Quote[];
  readonly usage: Usage;
}

export interface Teacher {
  /** Unique in a configuration; `decidedBy` will say `teacher:<name>`. */
  readonly name: string;
  /** Whose failures and limits count together, such as `openai`. */
  readonly provider: string;
  readonly tasks: readonly Task[];
  /** Where notes are sent; null for an annotator on this machine. Nothing is sent to a host that `egress.allow` does not name. */
  readonly host: string | null;
  /** Nothing is sent. Sections overlap and cover the note; an empty note needs no request. */
  plan(note: GatedNote, task: Task): readonly TeacherRequest[];
  /** Sends one request. When `signal` aborts, so does the connection. @throws TeacherError */
  ask(request: TeacherRequest, signal: AbortSignal): Promise<Reply>;
}
