/**
 * `bench compare A B`: the real programs of two commits, or one under two configurations, take turns on the same notes, and this checkout
 * looks at both from outside. What it says is how B stands to A, how sure that is, and whether both find the same.
 */
import { join } from 'node:path';
import {
  type Comparison,
  type Round,
  ratiosOf,
  renderComparison,
  roundLine,
  type Version,
} from '../../benchmark/compare-report.ts';
import { agreementOf } from '../../benchmark/same-answers.ts';
import { SIDES, type Side, turnOrder } from '../../benchmark/turn-order.ts';
import { repeated } from '../../benchmark/workloads.ts';
import { ConfigError, DEFAULT_MODEL } from '../../config.ts';
import { ClinstreamError } from '../../core/errors.ts';
import type { Note } from '../../core/note.ts';
import { writeWhole } from '../../distill/write-whole.ts';
import { loadServing } from '../../model/store.ts';
import { DEMO_NOTES } from '../demo.ts';
import { EXIT } from '../exit.ts';
import { type Io, write } from '../io.ts';
import { readNotes } from '../produce.ts';
import { currentCommit, provenanceOf, versionsOf } from '../provenance.ts';
import { onInterrupt } from '../signals.ts';
import { openTrees, type Trees } from './compare-tree.ts';
import { type Runnable, type Turn, type TurnOptions, takeTurn } from './compare-turn.ts';
import { labelOf, type NamedVersion, parseVersion } from './compare-version.ts';
import { tokenCounter } from './load/token-count.ts';
import { ROOT } from './program.ts';
import { RESULTS } from './results.ts';

export interface CompareOptions {
  readonly rounds: number;
  /** Of a turn; all of the input when absent. */
  readonly notes?: number;
  /** JSON Lines, as `produce` takes them; the demo notes when absent. */
  readonly input?: string;
  /** Write the results to this folder, or to benchmarks/results. */
  readonly write?: string | true;
}

type Both<T> = Readonly<Record<Side, T>>;

/** @returns the exit code. @throws CompareError, ConfigError, InputError */
export async function benchCompare(names: Both<string>, options: CompareOptions, io: Io): Promise<number> {
  const provenance = provenanceOf(commandOf(names, options), io.now());
  const named: Both<NamedVersion> = { A: parseVersion(names.A), B: parseVersion(names.B) };
  const notes = await notesOf(options, io);
  // by this checkout's model, whatever A and B have: one measure for both
  const tokens = await tokenCounter(loadServing(DEFAULT_MODEL))(notes);
  const interrupt = onInterrupt();
  const trees = openTrees({ tell: text => io.stderr.write(text), interrupted: interrupt.signal });
  try {
    const ready = { A: await makeReady(named.A, trees), B: await makeReady(named.B, trees) };
    const turns = await takeTurns(
      ready,
      { notes, tokens, interrupted: interrupt.signal, now: io.now, rounds: options.rounds },
      io,
    );
    const result = { ...provenance, ...resultOf(turns, ready), notesPerTurn: notes.length, tokensPerTurn: tokens };
    await tell(result, named, options, io);
    return EXIT.ok;
  } catch (error) {
    if (interrupt.signal.aborted) return EXIT.interrupted; // a part of the rounds says nothing
    throw error;
  } finally {
    trees.remove();
    interrupt.dispose();
  }
}

/** What is run, and what the results say that it is. */
type Ready = Runnable & Pick<Version, 'commit' | 'versions'>;

async function makeReady({ given, commit, configuration }: NamedVersion, trees: Trees): Promise<Ready> {
  const tree = commit === undefined ? { root: ROOT, commit: currentCommit() } : await trees.checkOut(commit);
  return { given, configuration, ...tree, versions: versionsOf(tree.root) };
}

/** One turn of each first, which only warms the machine's caches. */
async function takeTurns(
  ready: Both<Ready>,
  options: TurnOptions & { rounds: number },
  io: Io,
): Promise<{ warming: Both<Turn>; rounds: Both<Turn>[] }> {
  const both = async (order: readonly Side[]): Promise<Both<Turn>> => {
    const turns: Partial<Record<Side, Turn>> = {};
    for (const side of order) turns[side] = await takeTurn(ready[side], options);
    return turns as Both<Turn>;
  };
  const warming = await both(SIDES);
  io.stderr.write(`warming up: ${roundLine(figuresOf(warming))}\n`);
  const rounds: Both<Turn>[] = [];
  for (const order of turnOrder(SIDES, options.rounds)) {
    const turns = await both(order);
    rounds.push(turns);
    io.stderr.write(`round ${rounds.length} of ${options.rounds}: ${roundLine(figuresOf(turns))}\n`);
  }
  return { warming, rounds };
}

function figuresOf({ A, B }: Both<Turn>): Round {
  return { A: A.figures, B: B.figures };
}

function resultOf(
  { warming, rounds }: { warming: Both<Turn>; rounds: Both<Turn>[] },
  ready: Both<Ready>,
): Pick<Comparison, 'versionsCompared' | 'rounds' | 'ratios' | 'answers'> {
  const last = rounds.at(-1) ?? warming;
  const version = (side: Side): Version => {
    const { given, commit, configuration, versions } = ready[side];
    const { model, deadLetters } = last[side];
    return { given, commit, configuration, model, versions, deadLetters };
  };
  const figures = rounds.map(figuresOf);
  const answers = [warming, ...rounds].map(({ A, B }) => ({ A: A.answers, B: B.answers }));
  return {
    versionsCompared: { A: version('A'), B: version('B') },
    rounds: figures,
    ratios: ratiosOf(figures),
    answers: agreementOf(answers),
  };
}

async function tell(result: Comparison, named: Both<NamedVersion>, options: CompareOptions, io: Io): Promise<void> {
  const page = renderComparison(result);
  await write(io.stdout, page);
  if (options.write === undefined) return;
  const folder = options.write === true ? RESULTS : options.write;
  const path = join(folder, `compare-${labelOf(named.A)}-${labelOf(named.B)}`);
  writeWhole(`${path}.json`, `${JSON.stringify(result, null, 2)}\n`);
  writeWhole(`${path}.md`, page);
  io.stderr.write(`written to ${path}.json and .md\n`);
}

/** With ids of their own, so that answers can be told apart. @throws the first line's error that holds no note. */
async function notesOf({ input = DEMO_NOTES, notes: count }: CompareOptions, io: Io): Promise<Note[]> {
  const notes: Note[] = [];
  for await (const note of readNotes(input, input === '-' ? 'stdin' : input, io)) {
    if (note instanceof ClinstreamError) throw note;
    notes.push(note);
  }
  const wanted = count ?? notes.length;
  if (notes.length === 0 || wanted < 2)
    throw new ConfigError('CONFIG_INVALID', '--input and --notes: a turn needs 2 notes or more');
  return repeated(notes, wanted);
}

function commandOf({ A, B }: Both<string>, { rounds, notes, input, write: into }: CompareOptions): string {
  const args = [A, B, '--rounds', String(rounds)];
  if (notes !== undefined) args.push('--notes', String(notes));
  if (input !== undefined) args.push('--input', input);
  if (into !== undefined) args.push('--write', ...(into === true ? [] : [into]));
  const quoted = args.map(each => (/^[\w./:~^@{}=-]+$/.test(each) ? each : `'${each.replaceAll("'", `'\\''`)}'`));
  return `npm run bench -- compare ${quoted.join(' ')}`;
}
