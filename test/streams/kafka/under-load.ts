/**
 * A worker under a supervisor, and records that keep coming while something happens to the cluster. Afterwards an independent reader
 * compares what came out with what stands in: record by record, key by key, in order.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kafka, KafkaMessage } from 'kafkajs';
import type { Fact } from '../../../src/core/facts.ts';
import type { KafkaSettings } from '../../../src/streams/kafka/client.ts';
import { KafkaTransport } from '../../../src/streams/kafka/kafka-transport.ts';
import { echo, GROUP, keyed, start } from '../../contract/harness.ts';
import { until } from '../../kafka/client.ts';
import { readCommitted } from '../../kafka/read-committed.ts';

const [KEYS, BATCH, EVERY_MS] = [24, 8, 40];
const [PATIENCE_MS, SETTLE_MS] = [120_000, 20_000];

export class UnderLoad {
  readonly #settings: KafkaSettings;
  readonly #feeder: KafkaTransport;
  readonly #kafka: Kafka;
  readonly #over = new AbortController();
  readonly #supervised: Promise<void>;
  readonly #fed: string[] = [];
  readonly #troubles: Record<string, number> = {};
  #committed = 0;

  /** @param kafka the independent reader's. */
  constructor(settings: KafkaSettings, feeder: KafkaTransport, kafka: Kafka) {
    this.#settings = settings;
    this.#feeder = feeder;
    this.#kafka = kafka;
    this.#supervised = this.#supervise();
  }

  /** Whoever ends is followed by another process, as it were. */
  async #supervise(): Promise<void> {
    while (!this.#over.signal.aborted) {
      const transport = await KafkaTransport.open(this.#settings, Date.now).catch(() => undefined);
      try {
        const running = await start(transport as KafkaTransport, echo, {
          observe: fact => this.#observe(fact),
          sleep,
        });
        const stop = (): void => void running.stop().catch(() => {});
        this.#over.signal.addEventListener('abort', stop);
        await running.done;
      } catch (error) {
        this.#count(`ended ${(error as { code?: unknown }).code ?? error}`);
        await sleep(500);
      } finally {
        await transport?.close();
      }
    }
  }

  /** Feeds while something happens, until records that came after it are out too; then everything must stand. */
  async during(happen: () => Promise<void>): Promise<void> {
    const fed = new AbortController();
    const feeding = this.#feed(fed.signal);
    feeding.catch(() => {}); // awaited below
    try {
      await this.progress();
      await happen();
      await this.progress();
      fed.abort();
      await feeding;
      await until('end of the backlog', () => this.#drained(), PATIENCE_MS);
      await this.#verify();
    } finally {
      fed.abort();
    }
  }

  /** Resolves when more records are committed than were fed until now. */
  async progress(): Promise<void> {
    const { committed } = this;
    await until(`commits beyond ${committed}`, async () => this.committed > committed + 2 * BATCH, PATIENCE_MS);
  }

  get committed(): number {
    return this.#committed;
  }

  /** What the workers have met: codes of what failed, and how often. */
  get troubles(): string {
    return JSON.stringify(this.#troubles);
  }

  #observe(fact: Fact): void {
    if (fact.kind === 'transaction.committed') this.#committed += fact.records;
    if (fact.kind === 'transaction.failed') this.#count(`failed ${fact.code}`);
    if (fact.kind === 'group.unsettled') this.#count(`unsettled ${fact.code}`);
  }

  #count(what: string): void {
    this.#troubles[what] = (this.#troubles[what] ?? 0) + 1;
  }

  async close(): Promise<void> {
    this.#over.abort();
    await this.#supervised;
  }

  /** Nobody can know whether an append that failed was taken: it is made again, and the topic itself says what came of it. */
  async #feed(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const values = Array.from({ length: BATCH }, (_, i) => this.#fed.length + i);
      const records = values.map(value => keyed(`patient-${value % KEYS}`, String(value)));
      await until('append', () => this.#feeder.append(records).then(() => true), PATIENCE_MS);
      this.#fed.push(...values.map(String));
      await sleep(EVERY_MS);
    }
  }

  async #drained(): Promise<boolean> {
    const lags = (await this.#feeder.lags()).filter(({ group }) => group === GROUP);
    return lags.length > 0 && lags.every(({ lag }) => lag === 0n);
  }

  /**
   * What was acknowledged and is not there is lost, or behind a transaction that somebody left open; an append that was given up may
   * still come in, and then be echoed. So it is looked at again for a while: what is lost stays away, and what is doubled stays.
   */
  async #verify(): Promise<void> {
    for (const deadline = Date.now() + SETTLE_MS; ; await sleep(1_000)) {
      const [input, output] = [await readCommitted(this.#kafka, 'in'), await readCommitted(this.#kafka, 'out')];
      const found = [...unread(this.#fed, input), ...differences(byKey(input), byKey(output))];
      if (found.length === 0) return;
      if (Date.now() > deadline) assert.deepEqual(found, []);
    }
  }
}

function unread(fed: readonly string[], input: readonly KafkaMessage[]): string[] {
  const values = new Set(input.map(({ value }) => String(value)));
  return fed.filter(value => !values.has(value)).map(value => `${value} was acknowledged and is not there`);
}

function differences(input: ReadonlyMap<string, string[]>, output: ReadonlyMap<string, string[]>): string[] {
  return [...input].flatMap(([key, values]) => {
    const found = output.get(key) ?? [];
    const at = values.findIndex((value, i) => found[i] !== value);
    if (at < 0 && found.length === values.length) return [];
    const from = at < 0 ? values.length : at;
    const [came, went] = [values, found].map(each => each.slice(from, from + 5).join(' '));
    return [`${key}: ${values.length} came in and ${found.length} went out, from ${from} on ${came} and ${went}`];
  });
}

function byKey(messages: readonly KafkaMessage[]): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const { key, value } of messages) values.set(String(key), [...(values.get(String(key)) ?? []), String(value)]);
  return values;
}
