/** A model's word-level logits on documents, by the very tokens, windows and sessions that serve. */
import { join } from 'node:path';
import { packBatch } from '../model/batch.ts';
import type { VerifiedModel } from '../model/manifest.ts';
import { TextTokenizer } from '../model/tokenizer.ts';
import { WorkerPool } from '../model/worker-pool.ts';
import { Stitcher } from '../text/stitch.ts';
import { planWindows } from '../text/windows.ts';
import { toWords, type Words } from '../text/words.ts';
import type { CorpusDocument } from './corpus.ts';

export interface ScoredDocument<D = CorpusDocument> {
  readonly document: D;
  readonly words: Words;
}

export type Progress = (line: string) => void;

/** Scores documents one window a batch at a time; both sessions stay busy. */
export class Scorer {
  readonly heads: number;
  readonly #model: VerifiedModel;
  readonly #tokenizer: TextTokenizer;
  readonly #pool: WorkerPool;

  private constructor(model: VerifiedModel, pool: WorkerPool, heads: number) {
    this.#model = model;
    this.#pool = pool;
    this.heads = heads;
    this.#tokenizer = new TextTokenizer(join(model.directory, model.manifest.tokenizer));
  }

  static async open(model: VerifiedModel, output: 'logits' | 'corpus_logits', workers: number): Promise<Scorer> {
    const pool = await WorkerPool.open({ model, device: 'cpu', workers, threadsPerWorker: 1, output });
    return new Scorer(model, pool, output === 'logits' ? model.heads.length : model.manifest.corpusHeads.length);
  }

  async score<D extends { readonly text: string }>(documents: readonly D[]): Promise<ScoredDocument<D>[]> {
    const scored: ScoredDocument<D>[] = [];
    for (const document of documents) scored.push({ document, words: await this.#words(document.text) });
    return scored;
  }

  async stop(): Promise<void> {
    await this.#pool.stop();
  }

  async #words(text: string): Promise<Words> {
    const { window, specialTokens } = this.#model.manifest;
    const tokens = await this.#tokenizer.encode(text);
    const windows = planWindows(tokens.ids.length, { size: window.tokens - 2, overlap: window.overlap });
    const stitcher = new Stitcher(windows, tokens.ids.length, this.heads);
    await Promise.all(
      windows.map(async ({ start, end }, i) => {
        const { logits } = await this.#pool.run(packBatch([tokens.ids.subarray(start, end)], specialTokens));
        stitcher.add(i, logits, 1);
      }),
    );
    return toWords(tokens, stitcher.logits, this.heads);
  }
}
