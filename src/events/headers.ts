/**
 * The headers of every event that clinstream writes: CloudEvents 1.0 in the binary mode of its Kafka binding, and a W3C trace
 * context that leads from note to entities. Everything derives from the event's id, so the same event has the same headers.
 */
import { createHash } from 'node:crypto';
import { type Headers, headerText } from '../core/record.ts';

/** What an event says about itself in its headers. */
export interface EventAttributes {
  /** Deterministic: the same event has the same id. */
  readonly id: string;
  /** Full name of the schema, such as `clinstream.v1.EntitiesEvent`. */
  readonly type: string;
  /** URI reference of the part that writes the event, such as `/clinstream/tagger`. */
  readonly source: string;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
}

/** `00-<trace id>-<parent id>-<flags>`; later versions may append fields. All-zero ids and version ff are invalid. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** Printable ASCII, at most 512 characters, as the recommendation asks; anything else is not passed on. */
const TRACESTATE = /^[\x20-\x7e]{1,512}$/;
/** The flags that W3C defines: sampled and random. */
const KNOWN_FLAGS = 0x03;

/**
 * Headers of an event. With `incoming`, the headers of the record that caused it, the trace goes on; where those hold no valid
 * `traceparent`, a new trace begins, and their `tracestate` is dropped with it.
 */
export function eventHeaders(event: EventAttributes, incoming: Headers = {}): Headers {
  const texts: Record<string, string> = {
    'content-type': 'application/avro',
    ce_specversion: '1.0',
    ce_id: event.id,
    ce_type: event.type,
    ce_source: event.source,
    ce_time: new Date(event.time).toISOString(),
    ...traceContext(event.id, incoming),
  };
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text, 'utf8')]));
}

function traceContext(eventId: string, incoming: Headers): Record<string, string> {
  const span = derived('span', eventId, 8);
  const parent = parseTraceparent(headerText(incoming, 'traceparent'));
  if (parent === undefined) return { traceparent: `00-${derived('trace', eventId, 16)}-${span}-00` };
  const state = headerText(incoming, 'tracestate');
  return {
    traceparent: `00-${parent.traceId}-${span}-${parent.flags}`,
    ...(state !== undefined && TRACESTATE.test(state) ? { tracestate: state } : {}),
  };
}

function parseTraceparent(text: string | undefined): { traceId: string; flags: string } | undefined {
  const [, version, traceId, , flags, more] = TRACEPARENT.exec(text ?? '') ?? [];
  if (traceId === undefined || flags === undefined || (version === '00' && more !== undefined)) return undefined;
  return { traceId, flags: (Number.parseInt(flags, 16) & KNOWN_FLAGS).toString(16).padStart(2, '0') };
}

/** Lower-case hexadecimal of `bytes` bytes; never all zero in practice, being a digest. */
function derived(purpose: string, eventId: string, bytes: number): string {
  return createHash('sha256')
    .update(`clinstream:${purpose}:${eventId}`)
    .digest('hex')
    .slice(0, 2 * bytes);
}
