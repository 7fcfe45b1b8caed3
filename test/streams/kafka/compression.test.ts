/** If this fails, notes that a producer compressed would hang whoever reads them, without a word. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Kafka } from 'kafkajs';
import { KafkaTransport } from '../../../src/streams/kafka/kafka-transport.ts';
import { copy, drain, keyed, texts } from '../../contract/harness.ts';
import { client, createTopic } from '../../kafka/client.ts';
import { kafkaNeeds } from '../../kafka/needs.ts';
import { sharedKafka } from '../../kafka/shared.ts';
import { settingsFor } from './settings.ts';

const VALUE = 'x'.repeat(2_000);
const { skip } = kafkaNeeds();

describe('compressed records', { skip, timeout: 120_000 }, () => {
  let kafka: Kafka;
  let transport: KafkaTransport;

  before(async () => {
    const { bootstrap } = await sharedKafka();
    kafka = client(bootstrap, {}, 5);
    transport = await KafkaTransport.open(settingsFor(bootstrap), Date.now);
  });
  after(() => transport?.close());

  /** The broker compresses what stands in `from`. */
  async function compressed(type: string): Promise<{ from: string; tag: () => Promise<void>; to: string }> {
    const [from, to, group] = [`compressed-${type}`, `compressed-${type}-out`, `compressed-${type}`];
    await createTopic(kafka, from, { 'compression.type': type });
    await createTopic(kafka, to);
    await transport.append([keyed('a', VALUE, from)]);
    const processor = { process: async (record: Parameters<typeof copy>[0]) => [copy(record, to)] };
    return { from, to, tag: () => drain(transport, processor, { group, topics: [from], outputs: [to] }) };
  }

  for (const type of ['gzip', 'zstd']) {
    it(`are read where they are compressed with ${type}`, async () => {
      const { from, to, tag } = await compressed(type);
      await tag();
      assert.deepEqual([await texts(transport, from), await texts(transport, to)], [[VALUE], [VALUE]]);
    });
  }

  for (const [type, name] of [
    ['snappy', 'Snappy'],
    ['lz4', 'LZ4'],
  ] as const) {
    it(`end a worker and a reader where they are compressed with ${type}`, async () => {
      const { from, tag } = await compressed(type);
      const refused = {
        code: 'COMPRESSION_UNSUPPORTED',
        retryable: false,
        message: new RegExp(`${from}.*${name}.*compression\\.type`),
      };
      await assert.rejects(tag(), refused);
      await assert.rejects(texts(transport, from), refused);
    });
  }
});
