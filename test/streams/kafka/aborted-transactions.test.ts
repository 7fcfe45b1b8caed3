/** If this fails, the tagger would tag notes that their producer took back, and tag them again when they are sent anew. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { hideAborted } from '../../../src/streams/kafka/aborted-transactions.ts';
import { createKafka } from '../../../src/streams/kafka/client.ts';
import { KafkaTransport } from '../../../src/streams/kafka/kafka-transport.ts';
import { readAll } from '../../contract/harness.ts';
import { kafkaNeeds } from '../../kafka/needs.ts';
import { sharedKafka } from '../../kafka/shared.ts';
import { settingsFor } from './settings.ts';

const PRODUCERS = 4;

describe('aborted transactions', () => {
  it('are hidden, and nothing else, however they overlap and wherever a fetch begins', () => {
    const step = fc.record({ producer: fc.nat(PRODUCERS - 1), end: fc.option(fc.boolean(), { freq: 2 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(60), (steps, from) => {
        const log: { offset: number; producer: number; end: boolean | null; aborted: boolean }[] = [];
        const open = new Map<number, typeof log>();
        const aborted: { producerId: string; firstOffset: string; last: number }[] = [];
        // every transaction ends: a reader sees none that has not
        const endings = Array.from({ length: PRODUCERS }, (_, producer) => ({ producer, end: true as boolean | null }));
        for (const { producer, end } of [...steps, ...endings]) {
          const offset = log.length;
          const entry = { offset, producer, end, aborted: false };
          const mine = open.get(producer) ?? [];
          log.push(entry);
          if (end === null) open.set(producer, [...mine, entry]);
          else open.delete(producer);
          if (end !== false) continue;
          for (const each of mine) each.aborted = true;
          const [first] = mine;
          if (first !== undefined)
            aborted.push({ producerId: `${producer}`, firstOffset: `${first.offset}`, last: offset });
        }
        const messages = log.slice(from).map(({ offset, producer, end }) => ({
          offset: String(offset),
          key: end === null ? Buffer.alloc(4) : Buffer.from([0, 0, 0, Number(end)]),
          isControlRecord: end !== null,
          batchContext: { producerId: String(producer), inTransaction: true },
        }));
        // by their ends, as a broker lists them
        hideAborted({ abortedTransactions: aborted.filter(({ last }) => last >= from), messages });
        assert.deepEqual(
          messages.filter(each => !each.isControlRecord).map(each => Number(each.offset)),
          log
            .slice(from)
            .filter(each => each.end === null && !each.aborted)
            .map(each => each.offset),
        );
      }),
    );
  });

  it('of two producers at once stay hidden on a real broker', { ...kafkaNeeds(), timeout: 120_000 }, async () => {
    const settings = settingsFor((await sharedKafka()).bootstrap);
    const transport = await KafkaTransport.open(settings, Date.now);
    const topic = `aborted-${randomUUID()}`;
    await transport.createTopic(topic, { partitions: 1, retention: { ms: null, bytes: null } });
    const kafka = createKafka(settings);
    const producers = ['first', 'second'].map(id =>
      kafka.producer({ transactionalId: `${topic}-${id}`, maxInFlightRequests: 1 }),
    );
    const transactions = [];
    for (const producer of producers) {
      await producer.connect();
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value: 'taken back' }] });
      transactions.push(transaction);
    }
    for (const transaction of transactions.reverse()) await transaction.abort();
    await transport.append([{ topic, key: null, value: Buffer.from('meant'), headers: {} }]);
    assert.deepEqual(
      (await readAll(transport, topic)).map(({ value }) => String(value)),
      ['meant'],
    );
    await Promise.all(producers.map(producer => producer.disconnect()));
    kafka.closeConnections();
    await transport.close();
  });
});
