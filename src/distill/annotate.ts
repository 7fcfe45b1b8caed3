/** One teacher's labels on a corpus. Documents are finished whole; none is begun that may cost more than is left. */
import type { Span, Task } from '../core/span.ts';
import type { CorpusDocument } from './corpus.ts';

export type Labels =
  | { readonly kind: 'labelled'; readonly spans: readonly Span[] }
  /** Why the teacher said nothing usable about the document, as a stable code. */
  | { readonly kind: 'undecided'; readonly reason: string }
  /** The teacher's own limits stop it now. */
  | { readonly kind: 'out-of-money' };

export interface Undecided {
  readonly id: string;
  readonly task: Task;
  readonly reason: string;
}

export interface Annotations {
  /** In the order of the corpus, the teacher's labels in place of the corpus's; their types are tasks. */
  readonly labelled: readonly CorpusDocument[];
  /** Of documents that were read to the end. */
  readonly undecided: readonly Undecided[];
  /** How many documents were left for want of money. */
  readonly left: number;
}

export interface AnnotateOptions {
  readonly documents: readonly CorpusDocument[];
  readonly tasks: readonly Task[];
  /** Documents at once. */
  readonly concurrency: number;
  readonly label: (document: CorpusDocument, task: Task) => Promise<Labels>;
  /** What a document may still cost, in US dollars: nothing for what is answered already. Asked once, before the first. */
  readonly atMostUsd: (document: CorpusDocument) => number;
  /** What counts against the cap so far, in US dollars. */
  readonly spentUsd: () => number;
  readonly maxUsd: number;
  readonly onDone: (documents: number) => void;
}

/** @throws what `label` throws, once the documents under way have ended. */
export async function annotate(options: AnnotateOptions): Promise<Annotations> {
  const { documents, concurrency, atMostUsd, spentUsd, maxUsd, onDone } = options;
  const results: (readonly (readonly [Task, Labels])[] | undefined)[] = documents.map(() => undefined);
  const bounds = documents.map(atMostUsd);
  const open = new Set(documents.keys());
  let heldUsd = 0;
  let done = 0;
  let failure: { readonly error: unknown } | undefined;
  // another worker may be done with less than it held: the last one finds out
  const next = (): number | undefined => {
    const left = maxUsd - spentUsd() - heldUsd;
    return open.values().find(at => bounds[at] === 0 || (bounds[at] as number) <= left);
  };
  const work = async (): Promise<void> => {
    for (let at = next(); at !== undefined; at = next()) {
      open.delete(at);
      heldUsd += bounds[at] as number;
      try {
        results[at] = await labelsOf(documents[at] as CorpusDocument, options);
      } catch (error) {
        failure ??= { error };
      } finally {
        heldUsd -= bounds[at] as number;
      }
      if (failure !== undefined) return;
      onDone(++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, documents.length) }, work));
  if (failure !== undefined) throw failure.error;
  return gather(documents, results);
}

async function labelsOf(
  document: CorpusDocument,
  { tasks, label }: AnnotateOptions,
): Promise<(readonly [Task, Labels])[]> {
  const labels: (readonly [Task, Labels])[] = [];
  for (const task of tasks) labels.push([task, await label(document, task)]);
  return labels;
}

function gather(
  documents: readonly CorpusDocument[],
  results: readonly (readonly (readonly [Task, Labels])[] | undefined)[],
): Annotations {
  const labelled: CorpusDocument[] = [];
  const undecided: Undecided[] = [];
  let left = 0;
  for (const [i, { id, split, source, text }] of documents.entries()) {
    const labels = results[i];
    if (labels === undefined || labels.some(([, { kind }]) => kind === 'out-of-money')) {
      left++;
      continue;
    }
    const open = labels.flatMap(([task, each]) =>
      each.kind === 'undecided' ? [{ id, task, reason: each.reason }] : [],
    );
    undecided.push(...open);
    if (open.length > 0) continue;
    const entities = labels.flatMap(([type, each]) =>
      each.kind === 'labelled' ? each.spans.map(({ start, end }) => ({ start, end, type })) : [],
    );
    labelled.push({ id, split, ...(source === undefined ? {} : { source }), text, entities });
  }
  return { labelled, undecided, left };
}
