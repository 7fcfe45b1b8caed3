/**
 * How large a record may be that a role writes. What does not fit goes to review, or, where nothing of the note is out yet, to the
 * dead letters, rather than end the role at every start.
 */
import type { Config } from '../config.ts';
import { DEFAULT_MAX_VALUE_BYTES } from '../events/codec.ts';
import { ESCALATION_FACTOR } from '../events/codecs.ts';

/** Room for the headers of a record and for what the broker adds. */
const OVERHEAD_BYTES = 64 * 1024;

/** What the escalations topic takes and the escalator reads. */
export function escalationBytes(config: Config): number {
  return atMost(config, ESCALATION_FACTOR * config.limits.noteBytes);
}

/** What the entities topic takes and its readers read. */
export function revisionBytes(config: Config): number {
  return atMost(config, DEFAULT_MAX_VALUE_BYTES);
}

function atMost({ transport, kafka }: Config, readable: number): number {
  return transport === 'kafka' ? Math.min(readable, kafka.recordBytes - OVERHEAD_BYTES) : readable;
}
