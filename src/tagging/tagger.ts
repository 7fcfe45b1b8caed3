/** A text to its entities: tokens, windows, batches, stitch, spans. Empty and megabyte-long texts are ordinary. */
import type { StageMilliseconds } from '../core/facts.ts';
import type { Entity, Task } from '../core/span.ts';
import type { Head } from '../core/tokens.ts';
import type { VerifiedModel } from '../model/manifest.ts';
import type { TextTokenizer } from '../model/tokenizer.ts';
import { CodePointIndex } from '../text/code-points.ts';
import { decodeEntities, type TaskConfidence } from '../text/decode.ts';
import { Stitcher } from '../text/stitch.ts';
import { planWindows } from '../text/windows.ts';
import { toWords, type Words } from '../text/words.ts';
import type { Batcher } from './batcher.ts';

export interface Tagged {
  readonly entities: readonly Entity[];
  readonly tasks: readonly TaskConfidence[];
  /** Word pieces of the text, special tokens not counted. */
  readonly tokens: number;
  readonly windows: number;
  readonly stageMs: Omit<StageMilliseconds, 'decode'>;
}

/** A text's words with their logits. */
export interface Read {
  readonly words: Words;
  readonly tokens: number;
  readonly windows: number;
  /** Milliseconds. */
  readonly tokenize: number;
  readonly infer: number;
}

const SPECIAL_TOKENS = 2;

export class Tagger {
  readonly tasks: readonly Task[];
  readonly heads: readonly Head[];
  readonly #model: VerifiedModel;
  readonly #tokenizer: TextTokenizer;
  readonly #batcher: Batcher;

  constructor(model: VerifiedModel, tokenizer: TextTokenizer, batcher: Batcher) {
    this.tasks = model.heads.map(head => head.task);
    this.heads = model.heads;
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#batcher = batcher;
  }

  /** @throws ModelError when the model cannot answer for one of the text's windows. */
  async tag(text: string): Promise<Tagged> {
    const { words: _, ...tagged } = await this.tagWords(text);
    return tagged;
  }

  /** As `tag`, with the words that were decided. */
  async tagWords(text: string): Promise<Tagged & { readonly words: Words }> {
    const began = performance.now();
    const { words, tokens, windows, tokenize, infer } = await this.read(text);
    const { entities, tasks } = decodeEntities(new CodePointIndex(text), words, this.heads);
    const assemble = performance.now() - began - tokenize - infer;
    return { words, entities, tasks, tokens, windows, stageMs: { tokenize, infer, assemble } };
  }

  /** The model's own view of the text, before anything is decided. @throws ModelError as `tag`. */
  async read(text: string): Promise<Read> {
    const began = performance.now();
    const { window } = this.#model.manifest;
    const heads = this.heads.length;
    const tokens = await this.#tokenizer.encode(text);
    const tokenized = performance.now();
    const windows = planWindows(tokens.ids.length, { size: window.tokens - SPECIAL_TOKENS, overlap: window.overlap });
    const stitcher = new Stitcher(windows, tokens.ids.length, heads);
    await each(windows, this.#batcher.windowsAtOnce(window.tokens), async ({ start, end }, i) => {
      const { logits, firstRow } = await this.#batcher.score(tokens.ids.subarray(start, end));
      stitcher.add(i, logits, firstRow);
    });
    const inferred = performance.now();
    return {
      words: toWords(tokens, stitcher.logits, heads),
      tokens: tokens.ids.length,
      windows: windows.length,
      tokenize: tokenized - began,
      infer: inferred - tokenized,
    };
  }
}

/** Calls for all items, in order, a bounded number at once; after the first failure for none that is left. */
async function each<Item>(
  items: readonly Item[],
  atOnce: number,
  call: (item: Item, i: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) {
      const i = next++;
      try {
        await call(items[i] as Item, i);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
}
