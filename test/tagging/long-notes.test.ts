/** If this fails, one long note would hold up all others, leave sessions idle, or go on being read when its answer is lost. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Batch, BatchResult } from '../../src/model/batch.ts';
import { loadModel } from '../../src/model/manifest.ts';
import { TextTokenizer } from '../../src/model/tokenizer.ts';
import type { BatchLimits } from '../../src/tagging/batch-policy.ts';
import { Batcher, type Runner, type WindowLogits } from '../../src/tagging/batcher.ts';
import { type Tagged, Tagger } from '../../src/tagging/tagger.ts';
import { MODEL_DIRECTORY } from '../support/model.ts';

const model = loadModel(MODEL_DIRECTORY);
const tokenizer = new TextTokenizer(join(MODEL_DIRECTORY, model.manifest.tokenizer));
const { tokens: WINDOW, overlap } = model.manifest.window;
/** One token a word: the first window, and what each further one adds. */
const textOf = (windows: number): string => 'pain '.repeat(WINDOW - 2 + (windows - 1) * (WINDOW - 2 - overlap));

/** Sessions that answer when they are told to. */
class ManualRunner implements Runner {
  readonly workers: number;
  readonly capacity: number;
  readonly atHand: { batch: Batch; done: (result: BatchResult) => void; fail: (error: Error) => void }[] = [];

  constructor(workers: number) {
    this.workers = workers;
    this.capacity = 2 * workers;
  }

  run(batch: Batch): Promise<BatchResult> {
    return new Promise((done, fail) => this.atHand.push({ batch, done, fail }));
  }

  /** @returns the windows of the batch that was answered. */
  answer(): number {
    const next = this.atHand.shift();
    if (next === undefined) return assert.fail('no session has work');
    next.done({ logits: new Float32Array(next.batch.ids.length * model.heads.length), runMs: 1 });
    return next.batch.lengths.length;
  }
}

/** Tells of the windows that are submitted. */
class Watched extends Batcher {
  submitted = 0;
  heard: () => void = () => {};

  override score(ids: Int32Array): Promise<WindowLogits> {
    this.submitted++;
    this.heard();
    return super.score(ids);
  }

  async submits(windows: number): Promise<void> {
    while (this.submitted < windows)
      await new Promise<void>(heard => {
        this.heard = heard;
      });
    await settle();
  }
}

const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

function serve(workers: number, limits: BatchLimits, inFlightTokens: number) {
  const runner = new ManualRunner(workers);
  const special = model.manifest.specialTokens;
  const batcher = new Watched({ runner, heads: model.heads.length, special, limits, batchDelayMs: 0, inFlightTokens });
  return { runner, batcher, tagger: new Tagger(model, tokenizer, batcher) };
}

/** Answers batches until the note is tagged. @returns the windows of each. */
async function answerUntil(
  done: Promise<Tagged>,
  runner: ManualRunner,
): Promise<{ tagged: Tagged; batches: number[] }> {
  let tagged: Tagged | undefined;
  void done.then(answer => {
    tagged = answer;
  });
  const batches: number[] = [];
  while (tagged === undefined) {
    batches.push(runner.answer());
    await settle();
  }
  return { tagged, batches };
}

describe('a long note', { timeout: 60_000 }, () => {
  it('lets a short one pass that comes after it', async () => {
    const { runner, batcher, tagger } = serve(1, { tokens: WINDOW, windows: 1 }, 4 * WINDOW);
    const long = tagger.tag(textOf(200));
    await batcher.submits(1);
    const before = batcher.submitted;
    const short = tagger.tag('pain');
    await batcher.submits(before + 1);
    const { batches } = await answerUntil(short, runner);
    assert.ok(batches.length < 10, `${batches.length} batches ran first`);
    assert.equal((await answerUntil(long, runner)).tagged.windows, 200);
  });

  for (const [name, limits] of [
    ['one window', { tokens: WINDOW, windows: 1 }],
    ['four windows', { tokens: 4 * WINDOW, windows: Number.POSITIVE_INFINITY }],
    ['what fits, with room to spare', { tokens: 4 * WINDOW - 1, windows: Number.POSITIVE_INFINITY }],
  ] as const)
    it(`keeps all sessions in full batches of ${name}`, async () => {
      const { runner, batcher, tagger } = serve(2, limits, 1_000_000);
      const long = tagger.tag(textOf(120));
      await batcher.submits(1);
      const full = Math.min(limits.windows, Math.floor(limits.tokens / WINDOW));
      let left = 120;
      for (let i = 0; left > batcher.windowsAtOnce(WINDOW); i++) {
        assert.equal(runner.atHand.length, runner.capacity, 'each session has the next at hand');
        const windows = runner.answer();
        left -= windows;
        // an idle session waits for nobody at the start
        assert.equal(windows, i < runner.workers ? 1 : full);
        await settle();
      }
      await answerUntil(long, runner);
    });

  it('is read no further once a window has no answer', async () => {
    const { runner, batcher, tagger } = serve(2, { tokens: WINDOW, windows: 1 }, 4 * WINDOW);
    const long = tagger.tag(textOf(50));
    await batcher.submits(4);
    runner.answer();
    await settle();
    runner.atHand.shift()?.fail(new Error('batch failed'));
    await assert.rejects(long, /batch failed/);
    const { submitted } = batcher;
    assert.equal(submitted, 5);
    while (runner.atHand.length > 0) {
      runner.answer();
      await settle();
    }
    assert.equal(batcher.submitted, submitted);
    assert.equal(batcher.tokensInFlight, 0);
  });
});
