/** One scenario from a cold start: backlogs of notes tell what it can carry at most, then loads are offered at shares of that. */
import { bursts, byProfile, poisson, type Random } from '../../../benchmark/arrivals.ts';
import assumptions from '../../../benchmark/capacity-assumptions.json' with { type: 'json' };
import type { LoadStep } from '../../../benchmark/load-curve.ts';
import { sourceOf } from '../../../benchmark/workloads.ts';
import type { Config } from '../../../config.ts';
import type { Note } from '../../../core/note.ts';
import { seeded } from '../../../evaluation/bootstrap.ts';
import { median } from '../../../evaluation/median.ts';
import { loadRouting } from '../../../model/routing.ts';
import { loadServing } from '../../../model/store.ts';
import { gate } from '../../../text/privacy-gate.ts';
import { readDemoNotes } from '../../demo.ts';
import type { Io } from '../../io.ts';
import { allOf, embedded, onKafka } from '../place.ts';
import { type Live, whileLive } from './live.ts';
import { offer } from './offer.ts';
import type { Scenario } from './scenarios.ts';
import { type CountTokens, tokenCounter } from './token-count.ts';
import { lastOf } from './watch.ts';

export interface Measured {
  readonly scenario: Scenario;
  /** Of all notes, those with a task that was escalated. */
  readonly escalatedShare: number;
  readonly meanTokens: number;
  /** From the start of the process to its word that it is ready, and to the first entities event; milliseconds. */
  readonly coldStart: { readonly readyMs: number; readonly firstEventMs: number };
  /** While notes wait in any number. */
  readonly saturation: Saturation;
  readonly steps: readonly LoadStep[];
}

export interface Saturation {
  /** Of one backlog. */
  readonly notes: number;
  /** The median of the backlogs, and that over the mean tokens of their notes. */
  readonly tokensPerSecond: number;
  readonly notesPerSecond: number;
  /** Tokens a second of each backlog, the cold one first. */
  readonly backlogs: readonly number[];
}

export interface Plan {
  /** Of the saturation throughput, one step each. */
  readonly shares: readonly number[];
  /** Of one step. */
  readonly seconds: number;
  /** Factor on the scenario's backlog: a smoke run needs none. */
  readonly backlogScale: number;
  readonly seed: number;
  readonly tell: (line: string) => Promise<void>;
}

const QUIET_MS = 60_000;
const BURST = 40;
/** One run differs from the next by a tenth. */
const BACKLOGS = 3;

export async function measure(config: Config, scenario: Scenario, plan: Plan, io: Io): Promise<Measured> {
  const random = seeded(plan.seed);
  const notes = await notesToOffer();
  const next = sourceOf(scenario.workload, notes, random);
  const backlog = Array.from({ length: Math.max(1, Math.round(scenario.backlog * plan.backlogScale)) }, next);
  const model = loadServing(config.model);
  const countTokens = tokenCounter(model);
  const tasks = Object.keys(loadRouting(model)?.tasks ?? {});
  const within = scenario.transport === 'kafka' ? onKafka : embedded;
  return within({ ...config, transport: scenario.transport }, io, place =>
    whileLive({ place, backlog, escalated: scenario.escalated, tasks, now: io.now }, async live => {
      const { saturation, meanTokens } = await saturate(live, backlog, { next, countTokens });
      await plan.tell(`${scenario.name}: ${saturation.notesPerSecond.toFixed(1)} notes/s at most`);
      const steps: LoadStep[] = [];
      for (const share of plan.shares) {
        const arriving = arrivalsOf(scenario, share * saturation.notesPerSecond, plan.seconds, random);
        const step = await offer(live, { ...arriving, next, share, countTokens });
        steps.push(step);
        await plan.tell(
          `${scenario.name} at ${share.toFixed(2)}: ${step.offered.toFixed(1)} notes/s offered, p50 ${step.latency.p50.toFixed(0)} ms, p99 ${step.latency.p99.toFixed(0)} ms`,
        );
      }
      const { escalations } = place.config.topics;
      return {
        scenario,
        escalatedShare: (await allOf(place.transport, escalations)).length / live.watch.seen.size,
        meanTokens,
        coldStart: {
          readyMs: live.ready - live.started,
          firstEventMs:
            Math.min(...backlog.map(({ noteId }) => live.watch.seen.get(noteId) ?? Number.NaN)) - live.started,
        },
        saturation,
        steps,
      };
    }),
  );
}

/**
 * The backlog that waited, from the program's word that it is ready to the last event, then as many notes again at once, and again.
 * @throws BenchError NOTES_UNANSWERED where some never come.
 */
async function saturate(
  live: Live,
  backlog: readonly Note[],
  { next, countTokens }: { next: () => Note; countTokens: CountTokens },
): Promise<{ saturation: Saturation; meanTokens: number }> {
  const backlogs: number[] = [];
  let [all, began, notes] = [0, live.ready, backlog];
  for (;;) {
    const seconds = ((await lastOf(live.watch, notes, QUIET_MS)) - began) / 1000;
    const tokens = await countTokens(notes);
    backlogs.push(tokens / seconds);
    all += tokens;
    if (backlogs.length === BACKLOGS) break;
    notes = Array.from({ length: backlog.length }, next);
    began = performance.now();
    await live.append(notes);
  }
  const meanTokens = all / (BACKLOGS * backlog.length);
  const tokensPerSecond = median(backlogs);
  const notesPerSecond = tokensPerSecond / meanTokens;
  return { saturation: { notes: backlog.length, tokensPerSecond, notesPerSecond, backlogs }, meanTokens };
}

/** And the time in which they come: longer where so few notes fit into it that it would say nothing. */
function arrivalsOf(
  { arrivals, workload }: Scenario,
  rate: number,
  wanted: number,
  random: Random,
): { arrivals: Float64Array; seconds: number } {
  const fewest = arrivals === 'bursts' ? 4 * BURST : workload === 'pages' ? 12 : 2;
  const seconds = Math.max(wanted, fewest / rate);
  const made = {
    poisson: () => poisson(rate, seconds, random),
    day: () => byProfile(assumptions.diurnal.hours, rate, seconds, random),
    bursts: () => bursts(BURST, rate, seconds, random),
  }[arrivals]();
  return { arrivals: made.length > 0 ? made : Float64Array.of(0), seconds };
}

/**
 * Notes that the privacy gate refuses have no entities event to wait for. In an order by lot, always the same: in the file's, long notes
 * stand together.
 */
export async function notesToOffer(): Promise<Note[]> {
  const random = seeded(1);
  const drawn = (await readDemoNotes()).filter(passes).map(note => ({ note, lot: random() }));
  return drawn.sort((a, b) => a.lot - b.lot).map(({ note }) => note);
}

function passes(note: Note): boolean {
  try {
    gate(note);
    return true;
  } catch {
    return false;
  }
}
