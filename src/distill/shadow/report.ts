/** What a shadow found, as figures and as a page to read. Disagreement is a place to look, never a measure of quality. */
import { type Agreement, agreementF1, cohensKappa } from '../../evaluation/agreement.ts';
import type { Interval } from '../../evaluation/bootstrap.ts';
import { onlineInterval } from '../../evaluation/online-bootstrap.ts';
import type { Mentions } from './compare.ts';
import type { Model, ShadowLedger, TaskTotals } from './ledger.ts';
import type { NoteApart } from './state.ts';

export const CAVEAT =
  'Disagreement is not error: where the two differ, either may be right, and where they agree both may be wrong. Only gold labels tell.';
export const UNDER_LOAD = 'measured under load: both models shared the cores with each other and with what else ran';

interface Shared {
  readonly both: number;
  readonly onlyServing: number;
  readonly onlyCandidate: number;
}

export interface TaskFigures {
  readonly notes: number;
  readonly words: Shared;
  /** Of the candidate against the serving model over words; null where neither marked one. */
  readonly f1: number | null;
  /** 95 %, over notes. */
  readonly f1Interval: Interval | null;
  readonly kappa: number | null;
  readonly kappaInterval: Interval | null;
  readonly mentions: { readonly exact: Shared; readonly relaxed: Shared };
  /** Mean over notes. */
  readonly confidence: Readonly<Record<Model, number>>;
  /** Share of notes; null where one of the two has no routing for the task. */
  readonly escalates: (Readonly<Record<Model, number>> & { readonly differing: number }) | null;
}

export interface ShadowFigures {
  readonly says: string;
  readonly read: number;
  readonly compared: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly unanswered: Readonly<Record<Model, Readonly<Record<string, number>>>>;
  readonly tasks: Readonly<Record<string, TaskFigures>>;
  /** Share of notes of which the decision about at least one task would differ. */
  readonly escalationDiffers: number | null;
  readonly types: Readonly<
    Record<string, { readonly notes: number; readonly f1: Readonly<Record<string, number | null>> }>
  >;
  /** Tokens of each model's own, by second that a session of it ran. */
  readonly tokensPerSecond: Readonly<Record<Model, number | null>>;
  readonly speedRatio: number | null;
  readonly speedSays: string;
  readonly mostApart: readonly NoteApart[];
}

export function figuresOf(ledger: ShadowLedger): ShadowFigures {
  const { read, compared, refused, unanswered, escalation, speed, mostApart } = ledger;
  const perSecond = ({ tokens, ms }: { tokens: number; ms: number }): number | null =>
    ms === 0 ? null : (1000 * tokens) / ms;
  const [serving, candidate] = [perSecond(speed.serving), perSecond(speed.candidate)];
  return {
    says: CAVEAT,
    ...{ read, compared, refused, unanswered },
    tasks: Object.fromEntries(Array.from(ledger.tasks, ([task, totals]) => [task, taskFigures(totals)])),
    escalationDiffers: escalation.of === 0 ? null : escalation.differing / escalation.of,
    types: Object.fromEntries(
      Array.from(ledger.types, ([type, { notes, tasks }]) => [
        type,
        { notes, f1: Object.fromEntries(Object.entries(tasks).map(([task, { words }]) => [task, agreementF1(words)])) },
      ]),
    ),
    tokensPerSecond: { serving, candidate },
    speedRatio: serving === null || candidate === null || serving === 0 ? null : candidate / serving,
    speedSays: UNDER_LOAD,
    mostApart,
  };
}

function taskFigures({ notes, words, exact, relaxed, confidence, escalates, resamples }: TaskTotals): TaskFigures {
  const drawn = Array.from(resamples.both, (both, i) => ({
    both,
    onlyFirst: resamples.onlyFirst[i] as number,
    onlySecond: resamples.onlySecond[i] as number,
    neither: resamples.neither[i] as number,
  }));
  return {
    notes,
    words: shared(words),
    f1: agreementF1(words),
    f1Interval: onlineInterval(drawn.map(agreementF1)),
    kappa: cohensKappa(words),
    kappaInterval: onlineInterval(drawn.map(cohensKappa)),
    mentions: { exact: shared(exact), relaxed: shared(relaxed) },
    confidence: { serving: confidence.serving / notes, candidate: confidence.candidate / notes },
    escalates: escalated(escalates),
  };
}

function escalated({ both, onlyFirst, onlySecond, neither }: Agreement): TaskFigures['escalates'] {
  const routed = both + onlyFirst + onlySecond + neither;
  if (routed === 0) return null;
  return {
    serving: (both + onlyFirst) / routed,
    candidate: (both + onlySecond) / routed,
    differing: (onlyFirst + onlySecond) / routed,
  };
}

function shared({ both, onlyFirst, onlySecond }: Mentions): Shared {
  return { both, onlyServing: onlyFirst, onlyCandidate: onlySecond };
}

/** @param names of the two models. */
export function renderShadow(figures: ShadowFigures, names: Readonly<Record<Model, string>>): string {
  const { read, compared, tasks, types } = figures;
  const left = [...counts('refused', figures.refused)]
    .concat(counts('the serving model had no answer', figures.unanswered.serving))
    .concat(counts('the candidate had no answer', figures.unanswered.candidate));
  return `# Shadow: ${names.candidate} beside ${names.serving}

${CAVEAT}

${read} notes read, ${compared} compared${left.map(each => `; ${each}`).join('')}.
${compared === 0 ? '' : [...tables(tasks), ...typeTable(types, Object.keys(tasks)), ...ends(figures)].join('\n')}`;
}

function tables(tasks: ShadowFigures['tasks']): string[] {
  return [
    `
| task | F1 of the candidate against the serving model, words | kappa | confidence, serving → candidate | would escalate, serving → candidate | decision differs |
|---|---|---|---|---|---|
${Object.entries(tasks)
  .map(([task, each]) => {
    const { f1, f1Interval, kappa, kappaInterval, confidence, escalates } = each;
    const arrow = (of: Readonly<Record<Model, number>>, text: (value: number) => string): string =>
      `${text(of.serving)} → ${text(of.candidate)}`;
    const routed = escalates === null ? '– | –' : `${arrow(escalates, share)} | ${share(escalates.differing)}`;
    return `| ${task} | ${digits(f1)} ${brackets(f1Interval)} | ${digits(kappa)} ${brackets(kappaInterval)} | ${arrow(confidence, digits)} | ${routed} |`;
  })
  .join('\n')}

| task | mentions | both | only serving | only candidate |
|---|---|---|---|---|
${Object.entries(tasks)
  .flatMap(([task, { mentions }]) =>
    (['exact', 'relaxed'] as const).map(
      kind =>
        `| ${task} | ${kind} | ${mentions[kind].both} | ${mentions[kind].onlyServing} | ${mentions[kind].onlyCandidate} |`,
    ),
  )
  .join('\n')}
`,
  ];
}

function typeTable(types: ShadowFigures['types'], tasks: readonly string[]): string[] {
  const rows = Object.entries(types).sort(([, a], [, b]) => b.notes - a.notes);
  return [
    `| note type | notes | ${tasks.map(task => `F1, ${task}`).join(' | ')} |
|---|---|${tasks.map(() => '---|').join('')}
${rows.map(([type, { notes, f1 }]) => `| ${cell(type)} | ${notes} | ${tasks.map(task => digits(f1[task] ?? null)).join(' | ')} |`).join('\n')}
`,
  ];
}

function ends({ mostApart, escalationDiffers, speedRatio }: ShadowFigures): string[] {
  const decisions =
    escalationDiffers === null
      ? 'Whether notes would escalate was not compared: one of the two has no routing.json.'
      : `Of ${share(escalationDiffers)} of the notes the decision to escalate would differ in some task.`;
  const speed =
    speedRatio === null ? '' : `\nCandidate over serving, tokens/s: ${speedRatio.toFixed(2)} (${UNDER_LOAD}).`;
  const notes = mostApart.map(
    ({ noteId, noteVersion, noteType, apart, words }) =>
      `| ${cell(noteId)} | ${noteVersion} | ${cell(noteType)} | ${apart} | ${words} |`,
  );
  const list = `
| most different notes | version | type | words only one marks | words |
|---|---|---|---|---|
${notes.join('\n')}
`;
  return [`${decisions}${speed}\n${notes.length === 0 ? '' : list}`];
}

function counts(what: string, codes: Readonly<Record<string, number>>): string[] {
  return Object.entries(codes).map(([code, count]) => `${count} × ${what}, ${code}`);
}

/** Ids and types are the sender's: they must not break the table. */
function cell(text: string): string {
  return text.replace(/[|\p{Cc}]/gu, ' ');
}

function share(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}

function brackets(interval: Interval | null): string {
  return interval === null ? '' : `[${digits(interval.low)}, ${digits(interval.high)}]`;
}

function digits(value: number | null): string {
  return value === null ? '–' : value.toFixed(3).replace(/^(-?)0\./, '$1.');
}
