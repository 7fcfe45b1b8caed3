/** A subscription whose commits are announced: what must be on the disk before a group's offset moves is put there then. */
import type { TopicPartition } from '../core/record.ts';
import type { BatchHandler, Claim, Transport } from './transport.ts';

export interface CommitWatcher {
  /** The records below `next` are about to be committed. When it throws, they are not. */
  beforeCommit(place: TopicPartition, next: bigint): void;
  /** Whatever of the partition is not committed by now will not be, or will be delivered again. */
  released(place: TopicPartition): void;
}

export function announcingCommits(transport: Transport, watcher: CommitWatcher): Pick<Transport, 'subscribe'> {
  return {
    subscribe: options => transport.subscribe({ ...options, handler: watched(options.handler, watcher) }),
  };
}

function watched(handler: BatchHandler, watcher: CommitWatcher): BatchHandler {
  const claims = new WeakMap<Claim, Claim>();
  const watchedClaim = (claim: Claim): Claim => {
    const known = claims.get(claim);
    if (known !== undefined) return known;
    const { group, topic, partition, lost } = claim;
    const fresh: Claim = {
      ...{ group, topic, partition, lost },
      async commit(outputs, next) {
        lost.throwIfAborted();
        watcher.beforeCommit({ topic, partition }, next);
        await claim.commit(outputs, next);
      },
    };
    claims.set(claim, fresh);
    return fresh;
  };
  return {
    onBatch: (claim, records) => handler.onBatch(watchedClaim(claim), records),
    async onRelease(claim) {
      await handler.onRelease(watchedClaim(claim));
      watcher.released(claim);
    },
  };
}
