/** A transport whose topics and groups bear a prefix behind its user's back: many cases share one cluster and never meet. */
import type { OutgoingRecord, StreamRecord, TopicPartition } from '../../src/core/record.ts';
import type { Claim, SubscribeOptions, Subscription, Transport } from '../../src/streams/transport.ts';

export function scoped(inner: Transport, scope: string): Transport {
  const outer = (name: string): string => `${scope}.${name}`;
  const mine = (name: string): boolean => name.startsWith(`${scope}.`);
  const plain = (name: string): string => name.slice(scope.length + 1);
  const incoming = (record: StreamRecord): StreamRecord => ({ ...record, topic: plain(record.topic) });
  const outgoing = (record: OutgoingRecord): OutgoingRecord => ({ ...record, topic: outer(record.topic) });

  return {
    createTopic: (topic, options) => inner.createTopic(topic.includes('/') ? topic : outer(topic), options),
    topics: async () =>
      (await inner.topics()).filter(each => mine(each.topic)).map(each => ({ ...each, topic: plain(each.topic) })),
    lags: async () =>
      (await inner.lags())
        .filter(each => mine(each.group))
        .map(each => ({ ...each, group: plain(each.group), topic: plain(each.topic) })),
    append: records => inner.append(records.map(outgoing)),
    async *read(topic, options) {
      for await (const record of inner.read(outer(topic), options)) yield incoming(record);
    },
    subscribe: async options => subscription(await inner.subscribe(within(options))),
    close: inner.close,
  };

  function within(options: SubscribeOptions): SubscribeOptions {
    const claims = new WeakMap<Claim, Claim>();
    const claimOf = (claim: Claim): Claim => {
      const known = claims.get(claim);
      if (known !== undefined) return known;
      const named: Claim = {
        group: plain(claim.group),
        topic: plain(claim.topic),
        partition: claim.partition,
        lost: claim.lost,
        commit: (outputs, next) => claim.commit(outputs.map(outgoing), next),
      };
      claims.set(claim, named);
      return named;
    };
    return {
      ...options,
      group: outer(options.group),
      topics: options.topics.map(outer),
      outputs: options.outputs.map(outer),
      handler: {
        onBatch: (claim, records) => options.handler.onBatch(claimOf(claim), records.map(incoming)),
        onRelease: claim => options.handler.onRelease(claimOf(claim)),
      },
    };
  }

  function subscription(of: Subscription): Subscription {
    return {
      assignment: (): readonly TopicPartition[] => of.assignment().map(each => ({ ...each, topic: plain(each.topic) })),
      pause: () => of.pause(),
      resume: () => of.resume(),
      drained: () => of.drained(),
      stop: of.stop,
      done: of.done,
    };
  }
}
