/** What the capacity plan takes from committed results: each figure by the file that it stands in, and nothing by heart. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { CapacityResult } from '../../benchmark/capacity-page.ts';
import { ConfigError } from '../../config.ts';
import { median } from '../../evaluation/median.ts';

export interface CapacityInputs {
  readonly measured: CapacityResult['measured'];
  /** Sessions of a process. */
  readonly servers: number;
  /** Quantiles of the seconds of single notes, evenly spaced. */
  readonly serviceSeconds: readonly number[];
}

const head = { commit: z.string(), machine: z.string() };
const positive = z.number().positive();

const Pipeline = z.object({
  ...head,
  settings: z.object({ workers: z.int().positive() }),
  notesPerRound: positive,
  paddedTokensPerRound: positive,
  rounds: z.array(z.object({ pipelineTokensPerSecond: positive })).min(1),
});
const Kafka = z.object({
  ...head,
  partitions: positive,
  rounds: z.array(z.object({ copiedOnKafka: positive })).min(1),
  taggedKafkaOverEmbedded: positive,
});
const Llm = z.object({
  ...head,
  events: z.object({ noteBytes: positive, entitiesBytes: positive }),
  serviceSeconds: z.array(z.number().min(0)).min(2),
});
const Chaos = z.object({ ...head, findings: z.object({ longestGap: z.object({ rolling: positive }) }) });

interface Saturation {
  readonly machine: string;
  /** Sessions of a process. */
  readonly workers: number;
  readonly notesPerSecond: number;
  readonly p99AtHalfLoadMs: number | null;
  readonly source: string;
}

/** @param sessionMs until a dead process is missed. @throws ConfigError where a result is missing or has another form. */
export function readCapacityInputs(results: string, sessionMs: number): CapacityInputs {
  const pipeline = read(results, 'pipeline', Pipeline);
  const kafka = read(results, 'kafka', Kafka);
  const llm = read(results, 'llm', Llm);
  const chaos = read(results, 'chaos', Chaos);
  const saturation = readLoad(results, kafka) ?? saturationOf(pipeline, kafka);
  return {
    measured: {
      machine: saturation.machine,
      ...{ notesPerSecond: saturation.notesPerSecond, p99AtHalfLoadMs: saturation.p99AtHalfLoadMs },
      ...llm.events,
      copiedPerSecond: median(kafka.rounds.map(each => each.copiedOnKafka)),
      copiedPartitions: kafka.partitions,
      gapSeconds: chaos.findings.longestGap.rolling / 1000,
      sessionSeconds: sessionMs / 1000,
      sources: [
        saturation.source,
        `records/s that one broker carries exactly once: kafka.json (commit ${kafka.commit}, ${kafka.machine})`,
        `bytes of events, and how the time a note takes varies: llm.json (commit ${llm.commit}, ${llm.machine})`,
        `seconds without an event while workers restart: chaos.json (commit ${chaos.commit}, ${chaos.machine})`,
      ],
    },
    servers: saturation.workers,
    serviceSeconds: llm.serviceSeconds,
  };
}

const Load = z.object({
  ...head,
  settings: z.object({ workers: z.int().positive() }),
  scenario: z.object({ transport: z.enum(['embedded', 'kafka']) }),
  saturation: z.object({ notesPerSecond: positive }),
  steps: z.array(z.object({ share: positive, latency: z.object({ p99: positive }) })),
});

/** The load sweep on Kafka, where one has been done; one on the embedded log is made slower as the tagger was on Kafka. */
function readLoad(results: string, kafka: z.infer<typeof Kafka>): Saturation | undefined {
  const name = ['load-kafka', 'load'].find(each => existsSync(join(results, `${each}.json`)));
  if (name === undefined) return undefined;
  const { saturation, steps, scenario, settings, commit, machine } = read(results, name, Load);
  const embedded = scenario.transport === 'embedded';
  return {
    notesPerSecond: saturation.notesPerSecond * (embedded ? kafka.taggedKafkaOverEmbedded : 1),
    machine,
    workers: settings.workers,
    // latency on the embedded log is none on Kafka
    p99AtHalfLoadMs: embedded ? null : (steps.find(({ share }) => share === 0.5)?.latency.p99 ?? null),
    source: `notes/s at saturation: ${name}.json (commit ${commit}, ${machine})${embedded ? ', of the embedded log, times what Kafka leaves of them, kafka.json: derived, not measured' : ''}`,
  };
}

/** Without a load sweep: the pipeline's speed on the embedded log, made slower as the tagger was on Kafka. */
function saturationOf(pipeline: z.infer<typeof Pipeline>, kafka: z.infer<typeof Kafka>): Saturation {
  const tokensPerNote = pipeline.paddedTokensPerRound / pipeline.notesPerRound;
  const embedded = median(pipeline.rounds.map(each => each.pipelineTokensPerSecond)) / tokensPerNote;
  return {
    notesPerSecond: embedded * kafka.taggedKafkaOverEmbedded,
    machine: pipeline.machine,
    workers: pipeline.settings.workers,
    p99AtHalfLoadMs: null,
    source: `notes/s at saturation: pipeline.json (commit ${pipeline.commit}, ${pipeline.machine}), times what Kafka leaves of them, kafka.json`,
  };
}

function read<T>(results: string, name: string, schema: z.ZodType<T>): T {
  const path = join(results, `${name}.json`);
  const made = name === 'chaos' ? 'npm run test:chaos -- --write' : `npm run bench -- ${name} --write`;
  if (!existsSync(path)) throw new ConfigError('CONFIG_INVALID', `${path} is missing: make it by ${made}`);
  const parsed = schema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new ConfigError(
    'CONFIG_INVALID',
    `${path} has not the form that is expected (${where}): make it anew by ${made}`,
  );
}
