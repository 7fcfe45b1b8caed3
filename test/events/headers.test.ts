/** If these fail, routers and tracers lose an event, or one trace falls into pieces between note and entities. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Headers } from '../../src/core/record.ts';
import { eventHeaders } from '../../src/events/headers.ts';

const EVENT = { id: 'event-1', type: 'clinstream.v1.EntitiesEvent', source: '/clinstream/tagger', time: 1_000 };
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = `00-${TRACE}-00f067aa0ba902b7-01`;

const texts = (headers: Headers) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.toString('utf8')]));
const incoming = (headers: Record<string, string>) =>
  texts(
    eventHeaders(EVENT, Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]))),
  );

describe('event headers', () => {
  it('are CloudEvents 1.0 in binary mode', () => {
    const { traceparent, ...rest } = texts(eventHeaders(EVENT));
    assert.deepEqual(rest, {
      'content-type': 'application/avro',
      ce_specversion: '1.0',
      ce_id: 'event-1',
      ce_type: 'clinstream.v1.EntitiesEvent',
      ce_source: '/clinstream/tagger',
      ce_time: '1970-01-01T00:00:01.000Z',
    });
    assert.match(traceparent ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });

  it('are the same for the same event, and another span for another', () => {
    assert.deepEqual(eventHeaders(EVENT), eventHeaders({ ...EVENT }));
    const other = eventHeaders({ ...EVENT, id: 'event-2' });
    assert.notDeepEqual(other.traceparent, eventHeaders(EVENT).traceparent);
  });

  it('go on with a valid trace, in a span of their own', () => {
    const { traceparent, tracestate } = incoming({ traceparent: PARENT, tracestate: 'vendor=1', secret: 'x' });
    assert.match(traceparent ?? '', new RegExp(`^00-${TRACE}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`));
    assert.equal(tracestate, 'vendor=1');
    assert.ok(!('secret' in incoming({ secret: 'x' })), 'nothing else of the incoming record is copied');
    assert.ok(incoming({ traceparent: `${PARENT.replace('00-', '01-')}-later` }).traceparent?.includes(TRACE));
    assert.ok(incoming({ traceparent: PARENT.replace(/01$/, 'ff') }).traceparent?.endsWith('-03'), 'known flags only');
  });

  it('begin a new trace where the incoming one is invalid', () => {
    const wrong = [
      '',
      'canary',
      PARENT.toUpperCase(),
      `${PARENT}-more`,
      PARENT.replace('00-', 'ff-'),
      PARENT.replace(TRACE, '0'.repeat(32)),
      PARENT.replace('00f067aa0ba902b7', '0'.repeat(16)),
      PARENT.slice(1),
    ];
    const fresh = texts(eventHeaders(EVENT)).traceparent;
    for (const traceparent of wrong) {
      const headers = incoming({ traceparent, tracestate: 'vendor=1' });
      assert.equal(headers.traceparent, fresh, traceparent);
      assert.equal(headers.tracestate, undefined);
    }
  });

  it('do not pass on a tracestate that is no tracestate', () => {
    for (const tracestate of ['a\nb', 'x'.repeat(513), 'é=1']) {
      assert.equal(incoming({ traceparent: PARENT, tracestate }).tracestate, undefined);
    }
  });
});
