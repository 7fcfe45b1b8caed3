import type { Config } from '../../config.ts';
import { unobserved } from '../../core/facts.ts';
import type { Tagged } from '../../tagging/tagger.ts';
import { readDemoNotes } from '../demo.ts';
import { type Io, write } from '../io.ts';
import { serveModel } from '../serve-model.ts';
import { originOf, writeResults } from './results.ts';

const TOGETHER = 1_000;
const LINES_PER_NOTE = 10;

interface Row {
  readonly texts: string;
  readonly count: number;
  readonly meanTokens: number;
  readonly aloneTokensPerSecond: number;
  readonly togetherTokensPerSecond: number;
  /** Entities that are found in one way and not in the other, over those found alone. */
  readonly togetherInTwoOrders: number;
  readonly aloneInTwoOrders: number;
}

export async function benchBatching(config: Config, options: { notes: number; write: boolean }, io: Io): Promise<void> {
  const origin = originOf(config, `batching --notes ${options.notes}`);
  const notes = (await readDemoNotes()).slice(0, options.notes).map(each => each.text);
  const rows = [
    await compare(config, 'whole notes', notes),
    await compare(
      config,
      'single lines',
      notes
        .flatMap(text => text.split('\n'))
        .filter(line => line.length > 20)
        .slice(0, LINES_PER_NOTE * options.notes),
    ),
  ];
  for (const row of rows) await write(io.stdout, sentence(row));
  if (!options.write) return;
  const result = { ...origin, rows };
  await writeResults('batching', config, { json: result }, io);
}

async function compare(config: Config, name: string, texts: readonly string[]): Promise<Row> {
  const backwards = [...texts].reverse();
  const alone = await tagAll(config, 1, texts);
  const together = await tagAll(config, TOGETHER, texts);
  const aloneBack = await tagAll(config, 1, backwards);
  const togetherBack = await tagAll(config, TOGETHER, backwards);
  const found = alone.entities.flat().length;
  return {
    texts: name,
    count: texts.length,
    meanTokens: alone.tokens / texts.length,
    aloneTokensPerSecond: alone.tokens / alone.seconds,
    togetherTokensPerSecond: together.tokens / together.seconds,
    togetherInTwoOrders: differing(together.entities, togetherBack.entities.reverse()) / found,
    aloneInTwoOrders: differing(alone.entities, aloneBack.entities.reverse()) / found,
  };
}

async function tagAll(
  config: Config,
  batchWindows: number,
  texts: readonly string[],
): Promise<{ seconds: number; tokens: number; entities: string[][] }> {
  const serving = await serveModel({ ...config, inference: { ...config.inference, batchWindows } }, unobserved);
  try {
    const began = performance.now();
    const tagged = await Promise.all(texts.map(text => serving.tagger.tag(text)));
    const seconds = (performance.now() - began) / 1000;
    const name = ({ entities }: Tagged): string[] => entities.map(({ task, start, end }) => `${task} ${start} ${end}`);
    return { seconds, tokens: tagged.reduce((sum, { tokens }) => sum + tokens, 0), entities: tagged.map(name) };
  } finally {
    await serving.stop();
  }
}

function differing(one: readonly string[][], other: readonly string[][]): number {
  return one.reduce((sum, each, i) => sum + new Set(each).symmetricDifference(new Set(other[i])).size, 0);
}

function sentence(row: Row): string {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return (
    `${row.count} ${row.texts} of ${Math.round(row.meanTokens)} tokens: alone ${Math.round(row.aloneTokensPerSecond)} tokens/s, together ${Math.round(row.togetherTokensPerSecond)}; ` +
    `entities that change with the order: ${percent(row.aloneInTwoOrders)} alone, ${percent(row.togetherInTwoOrders)} together\n`
  );
}
