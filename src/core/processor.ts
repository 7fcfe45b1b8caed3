/** A role of the program: turns one input record into its output records. The stream runner drives it on any transport. */
import type { OutgoingRecord, StreamRecord } from './record.ts';

export interface Processor {
  /**
   * Resolves with everything that must be published together with the acknowledgement of `record`. Bad input is not an error: it
   * resolves with a dead letter. Rejecting means that the record is *not* acknowledged and will be delivered again. Many calls
   * run at once; the runner publishes results in input order within a partition, whatever order they finish in.
   */
  process(record: StreamRecord, signal: AbortSignal): Promise<readonly OutgoingRecord[]>;
}

/** Whatever was started returns one of these. Idempotent: stop reading, drain, close; later calls await the first. */
export type Stop = () => Promise<void>;
