/**
 * A seeded run of accidents under a stream of notes: workers are killed, frozen at every point of a transaction and woken again,
 * join and leave; a broker restarts, politely and not, or hangs, while others may go on; the registry goes away. Then everything is
 * drained and counted.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureTopics, openCodecs, openTransport } from '../../src/commands/open-transport.ts';
import { loadConfig } from '../../src/config.ts';
import { seeded } from '../../src/evaluation/bootstrap.ts';
import { type Cluster, type Node, startCluster } from '../kafka/cluster.ts';
import { startRegistry } from '../kafka/registry.ts';
import { MODEL_DIRECTORY } from '../support/model.ts';
import { Crew, type Phase } from './crew.ts';
import { type Sent, sent } from './notes.ts';
import { type Findings, verify } from './verify.ts';
import { again, lag, PATIENCE_MS, progress, until } from './waiting.ts';

export type Accident =
  | 'kill'
  | 'join'
  | 'leave'
  | 'freeze'
  | 'broker stop'
  | 'broker kill'
  | 'broker freeze'
  | 'registry'
  | Phase;

export interface ChaosPlan {
  /** At least; as long as accidents happen, notes keep coming. */
  readonly notes: number;
  readonly workers: number;
  readonly partitions: number;
  /** Of several, one at a time has an accident, and the others go on. */
  readonly brokers: number;
  readonly accidents: readonly Accident[];
  readonly seed: number;
  readonly tell: (line: string) => void;
}

export interface ChaosReport {
  readonly notes: number;
  readonly poison: number;
  readonly workers: number;
  readonly partitions: number;
  readonly brokers: number;
  /** How often each accident happened. */
  readonly accidents: Readonly<Record<string, number>>;
  /** What the workers said and how they ended. */
  readonly workersSaid: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly findings: Findings;
}

/** A worker passes these once a partition, when it takes it over. */
const BEFORE_TRANSACTIONS: ReadonlySet<Accident> = new Set(['fencing', 'fenced', 'positioned']);
const SESSION_MS = 3_000;
/** Longer than the session, so that others have what the frozen one thinks is its own. */
const FROZEN_MS = SESSION_MS + 2_000;
const OUTAGE_MS = 5_000;
/** One of several brokers hangs for longer than anyone waits for its answer, so that all have turned to the others when it wakes up. */
const REQUEST_MS = 4_000;
const HANGS_MS = 10_000;
/** Long enough for a time without accidents to compare with. */
const ROLLING_CALM_MS = 15_000;
/** Notes keep coming at this pace, unless so many wait already. */
const FEED = { notes: 10, everyMs: 150, backlog: 400 };

export async function chaos(plan: ChaosPlan): Promise<ChaosReport> {
  const began = performance.now();
  const [brokers, registry] = await Promise.all([startBrokers(plan.brokers), startRegistry()]);
  const cluster = { bootstrap: brokers.bootstrap, registryUrl: registry.url };
  const settings = {
    CLINSTREAM_TRANSPORT: 'kafka',
    CLINSTREAM_KAFKA_BROKERS: cluster.bootstrap,
    CLINSTREAM_REGISTRY_URL: cluster.registryUrl,
    CLINSTREAM_REGISTRY_AUTO_REGISTER: 'true',
    CLINSTREAM_REGISTRY_REQUEST_MS: '2000',
    CLINSTREAM_MODEL: MODEL_DIRECTORY,
    CLINSTREAM_TOPICS_PARTITIONS: String(plan.partitions),
    CLINSTREAM_KAFKA_SESSION_MS: String(SESSION_MS),
    CLINSTREAM_KAFKA_HEARTBEAT_MS: '500',
    CLINSTREAM_KAFKA_REBALANCE_MS: '10000',
    CLINSTREAM_KAFKA_TRANSACTION_MS: '10000',
    ...(plan.brokers > 1 ? { CLINSTREAM_KAFKA_REQUEST_MS: String(REQUEST_MS) } : {}),
    CLINSTREAM_STREAM_IN_FLIGHT_RECORDS: '32',
    CLINSTREAM_STREAM_TRANSACTION_RECORDS: '8',
    CLINSTREAM_STREAM_TRANSACTION_MS: '20',
    CLINSTREAM_INFERENCE_WORKERS: '1',
  };
  const config = loadConfig({ env: settings });
  const transport = await openTransport(config, { create: true, now: Date.now });
  const crew = new Crew({ PATH: process.env.PATH, ...settings });
  const random = seeded(plan.seed);
  const below = (count: number): number => Math.floor(random() * count);
  const notes = new Map<string, Sent>();
  try {
    await ensureTopics(transport, config);
    const codecs = await openCodecs(config, Date.now, { toTag: true });
    const feed = async (count: number): Promise<void> => {
      const batch: Sent[] = [];
      for (let i = 0; i < count; i++) batch.push(await sent(notes.size + i, codecs, config.topics.notes));
      for (const each of batch) notes.set(each.noteId, each);
      await again('append', () => transport.append(batch.map(each => each.record)));
    };
    const over = new AbortController();
    const feeding = (async () => {
      while (!over.signal.aborted) {
        if ((await lag(transport, config.stream.group)) < FEED.backlog || notes.size < FEED.backlog)
          await feed(FEED.notes);
        await sleep(FEED.everyMs);
      }
    })();
    feeding.catch(() => {}); // awaited below
    for (let i = 0; i < plan.workers; i++) crew.start();

    for (const [i, accident] of plan.accidents.entries()) {
      plan.tell(`${i + 1}/${plan.accidents.length} ${accident}, ${notes.size} notes so far`);
      await happen(accident);
      await until('notes are tagged again', () => progress(transport, config.stream.group));
    }
    plan.tell('every worker restarted, one after the other');
    const rolling = await rollingRestart();
    over.abort();
    await feeding;
    await feed(Math.max(0, plan.notes - notes.size));
    await until(
      'everything is drained',
      async () => (await lag(transport, config.stream.group)) === 0,
      4 * PATIENCE_MS,
    );
    for (const code of await crew.close()) if (code !== 0) throw new Error(`a worker ended with exit code ${code}`);
    const findings = await verify(cluster, config.topics, notes, rolling);
    return {
      notes: notes.size,
      poison: [...notes.values()].filter(({ code }) => code !== undefined).length,
      workers: plan.workers,
      partitions: plan.partitions,
      brokers: plan.brokers,
      accidents: counted(plan.accidents),
      workersSaid: Object.fromEntries(Object.entries(crew.counts).sort()),
      seconds: Math.round((performance.now() - began) / 1000),
      findings,
    };
  } finally {
    crew.abandon();
    await transport.close();
    await Promise.all([brokers.dispose(), registry.dispose()]);
  }

  /** As a deploy does it: the next one goes when the last one's successor has its partitions. */
  async function rollingRestart(): Promise<{ from: number; to: number }> {
    await sleep(ROLLING_CALM_MS);
    const from = Date.now();
    for (const worker of [...crew.workers]) {
      const code = await crew.dismiss(worker);
      if (code !== 0) throw new Error(`a worker left with exit code ${code}`);
      const successor = crew.start();
      await until('the successor is settled', async () => successor.settled);
    }
    return { from, to: Date.now() };
  }

  function anyBroker(): Node {
    return brokers.nodes[below(plan.brokers)] as Node;
  }

  async function happen(accident: Accident): Promise<void> {
    // those killed a moment ago are being started again
    await until('a worker is there', async () => crew.workers.length > 0);
    if (accident === 'leave' && crew.workers.length < 2) crew.start();
    switch (accident) {
      case 'kill':
        await sleep(random() * 200); // anywhere in a transaction
        return crew.kill(crew.any(below));
      case 'join':
        crew.start();
        return;
      case 'leave': {
        const code = await crew.dismiss(crew.any(below));
        if (code !== 0) throw new Error(`a worker left with exit code ${code}`);
        return;
      }
      case 'freeze': {
        const { child } = crew.any(below);
        child.kill('SIGSTOP');
        await sleep(FROZEN_MS);
        child.kill('SIGCONT');
        return;
      }
      case 'broker stop':
      case 'broker kill': {
        const broker = anyBroker();
        await (accident === 'broker stop' ? broker.stop() : broker.kill());
        // of several, the others lead for a while before it comes back
        if (plan.brokers > 1) await sleep(OUTAGE_MS);
        return broker.start();
      }
      case 'broker freeze': {
        // as when the network between them fails: connections stay open, and nothing answers
        const broker = anyBroker();
        await broker.freeze();
        await sleep(plan.brokers > 1 ? HANGS_MS : FROZEN_MS);
        broker.thaw();
        return;
      }
      case 'registry':
        await registry.kill();
        // one that starts meanwhile has no schema in memory: it ends with a reason, and its supervisor tries again
        await crew.kill(crew.any(below));
        await sleep(OUTAGE_MS);
        return registry.start();
      default: {
        await crew.dismiss(crew.any(below));
        const occurrence = BEFORE_TRANSACTIONS.has(accident) ? 1 : 1 + below(4);
        const worker = crew.start({ phase: accident, occurrence });
        await until(`a worker is frozen at ${accident}`, () =>
          Promise.race([worker.frozen.then(() => true), sleep(50, false)]),
        );
        await sleep(FROZEN_MS);
        worker.child.kill('SIGCONT');
      }
    }
  }
}

/** Leaders move back to whoever came back, while everybody lives, as soon as they can. */
function startBrokers(count: number): Promise<Cluster> {
  return startCluster(count, { properties: { 'leader.imbalance.check.interval.seconds': '1' } });
}

function counted(accidents: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const accident of accidents) counts[accident] = (counts[accident] ?? 0) + 1;
  return counts;
}
