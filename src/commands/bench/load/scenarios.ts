/** What is measured, as data: each scenario differs from the plain one in a few words. */
import type { Workload } from '../../../benchmark/workloads.ts';

export interface Scenario {
  readonly name: string;
  /** For a reader of the table. */
  readonly what: string;
  readonly workload: Workload;
  /** Notes that wait when the program starts, and come at once twice more: they tell the saturation throughput. */
  readonly backlog: number;
  readonly arrivals: 'poisson' | 'day' | 'bursts';
  /** Share of notes that the router is asked to escalate in each task, to emulated teachers; how many are, is counted. */
  readonly escalated: number;
  readonly transport: 'embedded' | 'kafka';
}

const PLAIN: Scenario = {
  name: 'notes',
  what: 'whole notes',
  workload: 'notes',
  backlog: 200,
  arrivals: 'poisson',
  escalated: 0,
  transport: 'embedded',
};

export const SCENARIOS: readonly Scenario[] = [
  PLAIN,
  { ...PLAIN, name: 'reports', what: 'reports, as long as dictated ones', workload: 'reports' },
  { ...PLAIN, name: 'short', what: 'paragraphs', workload: 'short', backlog: 2_000 },
  { ...PLAIN, name: 'pages', what: 'notes of a hundred pages', workload: 'pages', backlog: 3 },
  { ...PLAIN, name: 'mixed', what: 'short, whole and long notes, few patients with most of them', workload: 'mixed' },
  { ...PLAIN, name: 'day', what: "a day's profile in one run, its mean at that share", arrivals: 'day' },
  { ...PLAIN, name: 'bursts', what: '40 notes at the same moment, again and again', arrivals: 'bursts' },
  { ...PLAIN, name: 'escalated-5', what: 'few notes escalated, teachers simulated', escalated: 0.05 },
  { ...PLAIN, name: 'escalated-20', what: 'many notes escalated, teachers simulated', escalated: 0.2 },
  { ...PLAIN, name: 'kafka', what: 'whole notes, on a Kafka cluster', transport: 'kafka' },
];
