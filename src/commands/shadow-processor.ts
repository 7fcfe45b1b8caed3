/** The tagger's way of a note, twice and without an end: decoded, gated and tagged by both models, and nothing published of it. */
import type { ClinstreamError } from '../core/errors.ts';
import type { Note } from '../core/note.ts';
import type { Processor } from '../core/processor.ts';
import type { OutgoingRecord, StreamRecord, TopicPartition } from '../core/record.ts';
import type { Task } from '../core/span.ts';
import { compareNote, type Side } from '../distill/shadow/compare.ts';
import type { Model, Outcome } from '../distill/shadow/ledger.ts';
import type { EventCodec } from '../events/codec.ts';
import type { Router } from '../tagging/router.ts';
import type { Tagged, Tagger } from '../tagging/tagger.ts';
import { attemptsAtInput } from '../tagging/tagger-processor.ts';
import { type GatedNote, gate } from '../text/privacy-gate.ts';
import { aborted } from './signals.ts';

export interface ShadowModel {
  readonly tagger: Pick<Tagger, 'tagWords'>;
  readonly router: Router;
}

export interface ShadowProcessorOptions extends Readonly<Record<Model, ShadowModel>> {
  readonly notes: EventCodec<Note>;
  /** Records that were counted before: they are passed over. */
  readonly isCounted: (record: StreamRecord) => boolean;
  /** How many more records may be counted; those beyond wait, and are given back when the run stops. */
  readonly room: () => number;
}

export class ShadowProcessor implements Processor {
  readonly #options: ShadowProcessorOptions;
  /** By partition and offset, what is not counted yet; undefined while it is being tagged. */
  readonly #outcomes = new Map<number, Map<bigint, Outcome | undefined>>();

  constructor(options: ShadowProcessorOptions) {
    this.#options = options;
  }

  async process(record: StreamRecord, lost: AbortSignal, stopping: AbortSignal): Promise<readonly OutgoingRecord[]> {
    if (this.#options.isCounted(record)) return [];
    const inHand = this.#inHandOf(record);
    if (!inHand.has(record.offset) && this.#inHand >= this.#options.room()) {
      await aborted(AbortSignal.any([lost, stopping]));
      throw lost.aborted ? lost.reason : stopping.reason;
    }
    inHand.set(record.offset, undefined);
    const outcome = await this.#outcome(record);
    lost.throwIfAborted();
    inHand.set(record.offset, outcome);
    return [];
  }

  /** What became of the records below `next`, by offset; each is handed out once. */
  take({ partition }: TopicPartition, next: bigint): (readonly [bigint, Outcome])[] {
    const inHand = this.#outcomes.get(partition);
    const taken = Array.from(inHand ?? []).flatMap(([offset, outcome]) =>
      offset < next && outcome !== undefined ? [[offset, outcome] as const] : [],
    );
    for (const [offset] of taken) inHand?.delete(offset);
    return taken.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  forget({ partition }: TopicPartition): void {
    this.#outcomes.delete(partition);
  }

  get #inHand(): number {
    return this.#outcomes.values().reduce((sum, { size }) => sum + size, 0);
  }

  #inHandOf({ partition }: TopicPartition): Map<bigint, Outcome | undefined> {
    const inHand = this.#outcomes.get(partition) ?? new Map<bigint, Outcome | undefined>();
    this.#outcomes.set(partition, inHand);
    return inHand;
  }

  async #outcome(record: StreamRecord): Promise<Outcome> {
    let note: GatedNote;
    try {
      note = gate(await this.#options.notes.decode(record.value));
    } catch (error) {
      if (attemptsAtInput(error) === undefined) throw error;
      return { kind: 'refused', code: (error as ClinstreamError).code };
    }
    const [serving, candidate] = await Promise.all([this.#tag('serving', note), this.#tag('candidate', note)]);
    if ('kind' in serving) return serving;
    if ('kind' in candidate) return candidate;
    const { noteId, noteVersion, noteType } = note;
    const { words } = serving;
    const tasks = compareNote(words, this.#side('serving', serving), this.#side('candidate', candidate));
    return { kind: 'compared', noteId, noteVersion, noteType, words: words.count, tasks };
  }

  async #tag(by: Model, { text }: GatedNote): Promise<Awaited<ReturnType<Tagger['tagWords']>> | Outcome> {
    try {
      return await this.#options[by].tagger.tagWords(text);
    } catch (error) {
      if (attemptsAtInput(error) === undefined) throw error;
      return { kind: 'unanswered', by, code: (error as ClinstreamError).code };
    }
  }

  #side(by: Model, { entities, tasks }: Tagged): Side {
    const verdicts = this.#options[by].router.judge({ tasks });
    const routed = verdicts.filter(({ threshold }) => threshold !== null);
    return { entities, tasks, escalates: new Map<Task, boolean>(routed.map(each => [each.task, each.escalates])) };
  }
}
