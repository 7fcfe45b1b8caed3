/** A subscription whose commits are announced: what must be on the disk before a group's offset moves is put there then. */
import type { TopicPartition } from '../core/record.ts';
import type { BatchHandler, Claim, Transport } from './transport.ts';

/** The records of a partition below `next` are about to be committed. When it throws, they are not. */
export type BeforeCommit = (place: TopicPartition, next: bigint) => void;

export function announcingCommits(transport: Transport, beforeCommit: BeforeCommit): Pick<Transport, 'subscribe'> {
  return {
    subscribe: options => transport.subscribe({ ...options, handler: watched(options.handler, beforeCommit) }),
  };
}

function watched(handler: BatchHandler, beforeCommit: BeforeCommit): BatchHandler {
  const claims = new WeakMap<Claim, Claim>();
  const watchedClaim = (claim: Claim): Claim => {
    const known = claims.get(claim);
    if (known !== undefined) return known;
    const { group, topic, partition, lost } = claim;
    const fresh: Claim = {
      ...{ group, topic, partition, lost },
      async commit(outputs, next) {
        lost.throwIfAborted();
        beforeCommit({ topic, partition }, next);
        await claim.commit(outputs, next);
      },
    };
    claims.set(claim, fresh);
    return fresh;
  };
  return {
    onBatch: (claim, records) => handler.onBatch(watchedClaim(claim), records),
    onRelease: claim => handler.onRelease(watchedClaim(claim)),
  };
}
