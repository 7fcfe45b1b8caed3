/** All scenarios as a page, from what their file of results holds. */
import { milliseconds } from '../../../benchmark/load-report.ts';
import type { Origin } from '../../../benchmark/provenance.ts';
import { nameOf } from '../results.ts';
import type { CaughtUp } from './catch-up.ts';
import type { Measured } from './measure.ts';

export interface ScenariosResult extends Origin {
  readonly scenarios: readonly Measured[];
  /** Null where none was to be measured; else what came of it, or why it could not be told. */
  readonly catchUp: CaughtUp | { readonly failed: string } | null;
}

export function scenariosPage({ command, commit, machine, model, scenarios, catchUp }: ScenariosResult): string {
  const share = scenarios[0]?.steps[0]?.share ?? Number.NaN;
  return `# Scenarios

\`${command}\`, commit ${commit}, ${nameOf(model)} on ${machine}; the client, and brokers and emulated teachers where there are any,
on the same machine. "Most" is while notes wait in any number; latencies are at about ${100 * share} % of that, open loop, from when a note was due. "Load" says at what:
tokens/s that arrived over the most, which is not the share meant where the notes that arrived were shorter or longer than those that had waited.
A 99th percentile is told from ${FEWEST} notes on.

${table(scenarios)}
${catchUp === null ? '' : 'failed' in catchUp ? `\nCatch-up: ${catchUp.failed}.\n` : caughtUp(catchUp)}`;
}

/** Of fewer, a 99th percentile is one of the last two or three. */
const FEWEST = 300;

function table(all: readonly Measured[]): string {
  const rows = all.map(({ scenario, meanTokens, saturation, steps, coldStart, escalatedShare }) => {
    const [step] = steps;
    const cells = [
      scenario.what,
      meanTokens.toFixed(0),
      saturation.notesPerSecond.toFixed(1),
      saturation.tokensPerSecond.toFixed(0),
      loadOf(step, saturation),
      ...[step?.latency.p50, step?.latency.p95].map(ms => milliseconds(ms ?? Number.NaN)),
      (step?.latency.notes ?? 0) < FEWEST ? '–' : milliseconds(step?.latency.p99 ?? Number.NaN),
      `${step?.cpuMsPerNote.toFixed(1)} ms`,
      `${step?.peakMegabytes.toFixed(0)} MB`,
      step?.missing,
      `${(100 * escalatedShare).toFixed(0)} %`,
      milliseconds(coldStart.readyMs),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| scenario | tokens a note | most, notes/s | tokens/s | load | p50 | p95 | p99 | CPU a note | memory | missing | escalated | cold start |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

/** By tokens: a share of notes a second would take notes of any length for the same work. */
function loadOf(step: Measured['steps'][number] | undefined, { tokensPerSecond }: Measured['saturation']): string {
  if (step === undefined) return '–';
  const tokensPerNote = step.tokensPerSecond / step.achieved;
  const load = (step.offered * tokensPerNote) / tokensPerSecond;
  return `${load.toFixed(2)}: ${step.latency.notes} notes of ${tokensPerNote.toFixed(0)} tokens`;
}

function caughtUp({ awaySeconds, notesPerSecond, waiting, caughtUpSeconds, expectedSeconds }: CaughtUp): string {
  return `
Catch-up: away for ${awaySeconds} s while ${notesPerSecond.toFixed(1)} notes/s arrived and went on arriving: ${waiting} notes waited, and it was where it would have been
after ${caughtUpSeconds.toFixed(0)} s (${expectedSeconds.toFixed(0)} s by arithmetic).
`;
}
