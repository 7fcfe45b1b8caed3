/** One teacher over the documents of a corpus, asked by the chain that the escalator uses: what is asked, what it may cost, what came. */
import { randomUUID } from 'node:crypto';
import type { Config } from '../config.ts';
import type { Fact, Observer } from '../core/facts.ts';
import type { Note } from '../core/note.ts';
import type { Stop } from '../core/processor.ts';
import type { Task } from '../core/span.ts';
import type { Labels } from '../distill/annotate.ts';
import type { CorpusDocument } from '../distill/corpus.ts';
import { groundNote } from '../escalation/ground-note.ts';
import { type OpenChain, openChain } from '../escalation/open-chain.ts';
import type { StoredReply } from '../escalation/reply-store.ts';
import { textSha256 } from '../events/identity.ts';

import type { Teacher, TeacherRequest } from '../teachers/teacher.ts';
import { PrivacyError } from '../text/privacy-error.ts';
import { type GatedNote, gate } from '../text/privacy-gate.ts';

export interface AskedTeacherOptions {
  /** No two of one id. */
  readonly documents: readonly CorpusDocument[];
  readonly teacher: Teacher;
  readonly tasks: readonly Task[];
  /** Of the replies that are kept, and of the audit trail. */
  readonly directory: string;
  /** In this folder, ever. */
  readonly maxUsd: number;
  /** How the corpus was de-identified. */
  readonly deidentified: string;
  readonly stopping: AbortSignal;
  /** Says a line to whoever waits. */
  readonly tell: (line: string) => void;
  /** Hears all that the chain says. */
  readonly observe?: Observer;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

export interface Estimate {
  readonly requests: number;
  /** Those of them whose reply is kept already. */
  readonly stored: number;
  /** At most, for all others. */
  readonly usd: number;
}

/** A teacher's work on a corpus must be there when it is wanted again. */
const KEPT_MS = 100 * 365 * 86_400_000;

interface Plan {
  /** Undefined when a tripwire fires: such a document is sent to nobody. */
  readonly note: GatedNote | undefined;
  readonly requests: readonly TeacherRequest[];
}

export class AskedTeacher {
  readonly asked = { requests: 0, reused: 0, usd: 0 };
  /** Quotes of the documents labelled in this run: how many stand in their notes, and why the others could not be placed. */
  readonly quotes = { placed: 0, dropped: {} as Record<string, number> };
  readonly #options: AskedTeacherOptions;
  readonly #open: OpenChain;
  readonly #deadlineMs: number;
  /** By document id. */
  readonly #plans: ReadonlyMap<string, Plan>;
  /** A reply under way is paid for: it is waited for, and kept, also when the run is stopped. */
  readonly #neverLost = new AbortController().signal;

  /** @throws EscalationError when its folder cannot be opened. */
  constructor({ escalation }: Config, options: AskedTeacherOptions) {
    const { teacher, tasks, maxUsd, directory, now } = options;
    this.#options = options;
    this.#deadlineMs = escalation.deadlineMs;
    this.#plans = new Map(options.documents.map(document => [document.id, planOf(document, options)]));
    this.#open = openChain({
      ...escalation,
      teachers: new Map(tasks.map(task => [task, [teacher]])),
      ground: groundNote,
      directory,
      // over all runs and days, crashed ones included
      limits: { ...escalation.budget, usdPerDay: null, usdInAll: maxUsd },
      replyRetentionMs: KEPT_MS,
      graceMs: escalation.requestMs,
      newId: randomUUID,
      now,
      observe: fact => this.#hear(fact),
      onChange: () => {},
    });
  }

  /** What is asked, one hash a task. */
  get prompts(): Readonly<Record<Task, string>> {
    return Object.fromEntries(this.#some.map(({ key }) => [key.task, key.promptSha256]));
  }

  /** Who is asked, by task. */
  get models(): Readonly<Record<Task, string>> {
    return Object.fromEntries(this.#some.map(({ key }) => [key.task, key.model]));
  }

  get estimate(): Estimate {
    const requests = [...this.#plans.values()].flatMap(plan => plan.requests);
    const open = requests.filter(request => !this.#isStored(request));
    return { requests: requests.length, stored: requests.length - open.length, usd: usdAtMost(open) };
  }

  /** US dollars counted in its folder, ever. */
  get usdInAll(): number {
    return this.#open.usdInAll();
  }

  atMostUsd(document: CorpusDocument): number {
    return usdAtMost(this.#plan(document).requests.filter(request => !this.#isStored(request)));
  }

  /** What was answered about a document, as it is kept, whenever that was; undefined where a reply is missing. */
  answered(document: CorpusDocument): readonly StoredReply[] | undefined {
    const replies = this.#plan(document).requests.map(({ key }) => this.#open.stored(key));
    return replies.every(each => each !== undefined) ? replies : undefined;
  }

  /** @throws TeacherError of fault setup, EscalationError, or the reason of `stopping`. */
  async label(document: CorpusDocument, task: Task): Promise<Labels> {
    const { note } = this.#plan(document);
    if (note === undefined) return { kind: 'undecided', reason: 'NOTE_REFUSED' };
    const { stopping, now } = this.#options;
    const decision = await this.#open.chain.decide({
      note,
      task,
      subject: { noteId: note.noteId, noteVersion: note.noteVersion, textSha256: textSha256(note.text) },
      deadline: now() + this.#deadlineMs,
      lost: this.#neverLost,
      stopping,
    });
    if (decision.kind === 'decided') return { kind: 'labelled', spans: decision.mentions };
    return decision.reason === 'BUDGET_SPENT'
      ? { kind: 'out-of-money' }
      : { kind: 'undecided', reason: decision.reason };
  }

  readonly close: Stop = () => this.#open.close();

  /** Of the first document that may be asked about: prompts and models are those of all. */
  get #some(): readonly TeacherRequest[] {
    const requests = this.#plans.values().map(plan => plan.requests);
    return requests.find(each => each.length > 0) ?? [];
  }

  #isStored({ key }: TeacherRequest): boolean {
    return this.#options.teacher.host !== null && this.#open.stored(key) !== undefined;
  }

  #plan({ id }: CorpusDocument): Plan {
    const plan = this.#plans.get(id);
    if (plan === undefined) throw new RangeError(`document ${id} is none of those that are to be read`);
    return plan;
  }

  #hear(fact: Fact): void {
    this.#options.observe?.(fact);
    switch (fact.kind) {
      case 'reply.reused':
        this.asked.reused++;
        break;
      case 'teacher.asked':
        this.asked.requests++;
        this.asked.usd += fact.usd;
        break;
      case 'quotes.grounded':
        for (const count of Object.values(fact.aligned)) this.quotes.placed += count;
        for (const [reason, count] of Object.entries(fact.dropped))
          this.quotes.dropped[reason] = (this.quotes.dropped[reason] ?? 0) + count;
        break;
      case 'breaker.changed':
        if (fact.state !== 'closed' || this.asked.requests > 0)
          this.#options.tell(`${fact.provider}: breaker ${fact.state}`);
        break;
      case 'provider.busy':
        this.#options.tell(`${fact.provider}: busy, asked to wait ${fact.ms} ms`);
    }
  }
}

function planOf({ id, text }: CorpusDocument, { teacher, tasks, deidentified }: AskedTeacherOptions): Plan {
  const note = gated({
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
  });
  return { note, requests: note === undefined ? [] : tasks.flatMap(task => teacher.plan(note, task)) };
}

function gated(note: Note): GatedNote | undefined {
  try {
    return gate(note);
  } catch (error) {
    if (error instanceof PrivacyError && error.code === 'NOTE_LOOKS_IDENTIFIED') return undefined;
    throw error;
  }
}

function usdAtMost(requests: readonly TeacherRequest[]): number {
  return requests.reduce((sum, { atMost }) => sum + atMost.usd, 0);
}
