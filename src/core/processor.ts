/** A role of the program: turns one input record into its output records. The stream runner drives it on any transport. */
import type { OutgoingRecord, StreamRecord } from './record.ts';

export interface Processor {
  /**
   * Resolves with everything that must be published together with the acknowledgement of `record`. Bad input is not an error: it
   * resolves with a dead letter. Rejecting means that the record is *not* acknowledged and will be delivered again. Many calls
   * run at once; the runner publishes results in input order within a partition, whatever order they finish in.
   * @param signal aborted when nothing that comes of the record can be committed any more.
   * @param stopping aborted when the run begins to stop. Work that only waits gives its record back by rejecting with
   * `stopping.reason`, which is no failure; work that will soon be done is still awaited and committed.
   */
  process(record: StreamRecord, signal: AbortSignal, stopping: AbortSignal): Promise<readonly OutgoingRecord[]>;
}

/** Whatever was started returns one of these. Idempotent: stop reading, drain, close; later calls await the first. */
export type Stop = () => Promise<void>;
