/** How a model was trained, in the card's words, from what the trainer wrote down; a choice that was not made is not spoken of. */
import { z } from 'zod';
import type { Manifest } from '../model/manifest.ts';
import { earlierSchema, softTeachersOf } from './earlier-models.ts';

const runSchema = earlierSchema.extend({
  base: z.string().default('minilm'),
  encoder: z
    .object({ layers: z.number(), width: z.number(), parameters: z.number() })
    .default({ layers: 6, width: 384, parameters: 22_600_000 }),
  labels: z.object({ by: z.enum(['human', 'teacher', 'both']), share: z.number(), soft: z.boolean() }).optional(),
  /** Where some of the base's, or the start's, were left out. */
  layers: z.object({ kept: z.number(), of: z.number() }).nullish(),
  /** Which human corpora train a served head beside the teacher's notes, and at what weight; runs that do not say so did the same. */
  served: z.array(z.object({ corpus: z.string(), task: z.string(), weight: z.number() })).default([
    { corpus: 'ncbi_disease', task: 'disease', weight: 0.5 },
    { corpus: 'phee', task: 'medication', weight: 0.5 },
    { corpus: 'maccrobat', task: 'medication', weight: 0.5 },
  ]),
  recipe: z.object({
    phases: z.array(z.array(z.number())).min(1),
    encoders: z.enum(['shared', 'task']).default('shared'),
    masked: z.number(),
    shorthand: z.number().default(0),
    dropout: z.number().default(0),
    ema: z.number(),
  }),
  data: z.array(z.object({ file: z.string() })).default([]),
});

type Run = z.output<typeof runSchema>;

/** @returns nothing for a model that was not trained by `distill train`. */
export function runOf({ training }: Manifest): Run | undefined {
  return runSchema.safeParse(training.run).data;
}

/** Whether its corpus heads learnt from anything: the trainer writes them also where it was given teachers' labels alone. */
export function hasLearntCorpusHeads(run: Run | undefined): boolean {
  return run?.labels?.by !== 'teacher' || run.start != null || softTeachersOf(run).length > 0;
}

/** Such as "a 6-layer encoder (minilm, 22.6 million parameters)". */
export function describeEncoder(run: Run | undefined): string {
  if (run === undefined) return 'an encoder';
  const { base, encoder, recipe } = run;
  const size = `${(encoder.parameters / 1e6).toFixed(1)} million parameters`;
  const each = recipe.encoders === 'task' ? ', an encoder of its own for each task' : '';
  return `a ${encoder.layers}-layer BERT encoder (${base === 'minilm' ? 'MiniLM' : base}, ${size}${each})`;
}

/** @param leftOut dev notes that nothing was fitted on. */
export function describeMethod(run: Run | undefined, leftOut: readonly string[] = []): string {
  if (run === undefined) return 'The model was not trained by this program.';
  const { recipe, labels } = run;
  const softTeachers = softTeachersOf(run);
  const text = run.data.filter(({ file }) => file.startsWith('text/')).map(({ file }) => `\`${file}\``);
  return [
    labelled(run),
    ...(labels === undefined || labels.share === 1
      ? []
      : [`Of the labelled documents a share of ${labels.share} was used.`]),
    ...(labels?.soft === true ? ["A mention's confidence was its label."] : []),
    ...beginning(run),
    ...(hasLearntCorpusHeads(run) ? ['Every corpus also has heads of its own.'] : []),
    'A task that a corpus does not annotate is masked there; so is a word piece that a span cuts.',
    ...(softTeachers.length === 0 ? [] : [softly(softTeachers, text)]),
    ...(recipe.shorthand > 0 ? [SHORTHAND] : []),
    ...(labels?.by === 'teacher' ? [] : fading(recipe.phases)),
    ...(recipe.masked > 0 ? [`${Math.round(100 * recipe.masked)} % of the input word pieces are masked.`] : []),
    ...(recipe.dropout > 0 ? [`Dropout ${recipe.dropout}.`] : []),
    ...(recipe.ema > 0 ? ['Exported weights are the exponential moving average.'] : []),
    ...keeping(run),
    'Quantised dynamically to int8 with one scale a channel and 7-bit weights, so that processors without VNNI cannot saturate.',
    `Temperature and threshold of each head were chosen on the teacher's dev notes${but(leftOut)}; test splits were only reported.`,
  ].join(' ');
}

function but(leftOut: readonly string[]): string {
  return leftOut.length === 0 ? '' : ` but ${leftOut.join(', ')}, where a test note stands`;
}

function both(served: Run['served']): string {
  const alone = "Multi-task training on all sets at once: the three served heads learn from the teacher's notes";
  if (served.length === 0) return `${alone} alone.`;
  const corpora = served.map(({ corpus, task, weight }) => `${corpus} (${task}, at a weight of ${weight})`);
  return `${alone}, and from those human corpora whose guidelines agree: ${corpora.join(', ')}.`;
}

function labelled(run: Run): string {
  const { labels, served, start } = run;
  if (labels === undefined || labels.by === 'both') return both(served);
  const alone =
    labels.by === 'human'
      ? ['Multi-task training on the human corpora alone', 'no label of a teacher was used']
      : ["Training on the teacher's notes alone", 'no human label was used'];
  // what other models had learnt from is theirs to say
  const others = start != null || softTeachersOf(run).length > 0;
  return others ? `${alone[0]}, beside what it began with and the models it learnt from.` : `${alone.join('; ')}.`;
}

function beginning({ base, start, layers }: Run): string[] {
  if (start == null && layers == null) return [];
  const whose = start == null ? base : `${start.name} ${start.version}, read back from its int8 graph`;
  return [
    layers == null
      ? `It began with the weights of ${whose}.`
      : `It began with ${layers.kept} of ${layers.of} layers, evenly spread, of ${whose}.`,
  ];
}

function keeping({ start, keptStart }: Run): string[] {
  if (start == null || keptStart === 0) return [];
  return [
    `Every exported weight is ${keptStart} of ${start.name} ${start.version}'s and ${Number((1 - keptStart).toFixed(6))} of the trained one (Wortsman et al., arXiv 2109.01903); what ${start.version} had learnt from is not said here, but in its own card.`,
  ];
}

function softly(teachers: readonly { name: string; version: string }[], text: readonly string[]): string {
  const names = teachers.map(({ name, version }) => `${name} ${version}`).join(' and ');
  const [first, ...others] = teachers;
  const whose =
    others.length === 0
      ? `The probabilities of ${names}`
      : `The mean probabilities of ${names} (for the heads of corpora, those of ${first?.name} ${first?.version} alone)`;
  const where = text.length === 0 ? '' : `, and of every task on unlabelled text (${text.join(', ')})`;
  return `${whose} are soft labels of the tasks that a corpus does not annotate${where}; unlabelled documents that are like a dev or test document, or in which one stands, are left out.`;
}

const SHORTHAND =
  'Some notes are read with mentions and phrases abbreviated ("c/o SOB"), and lines of shorthand are made up from tables; the tables were written knowing that an earlier version failed on the category "shorthand" below, so that category is no blind test.';

/** What share of the human corpora is read, first and last. */
function fading(phases: readonly (readonly number[])[]): string[] {
  const [first = 1, last = 1] = [phases[0]?.[1], phases.at(-1)?.[1]];
  return last < first
    ? [`Of the human corpora ${100 * first} % are read in the first epochs and ${100 * last} % in the last.`]
    : [];
}
