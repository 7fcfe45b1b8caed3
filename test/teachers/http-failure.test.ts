/** If this fails, a provider's "not now", "not you" and "not this" are taken for each other, or a wait that was asked for is not kept. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { httpFailure } from '../../src/teachers/http-failure.ts';
import { retryAfterMs } from '../../src/teachers/retry-after.ts';

const NOW = Date.UTC(2026, 10, 25, 12);

function failure(status: number, body: unknown = {}, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return httpFailure({ teacher: 't', status, headers: new Headers(headers), body: text, now: NOW });
}

function waits(headers: Record<string, string>, body = '') {
  return retryAfterMs({ headers: new Headers(headers), body, now: NOW });
}

describe('HTTP failures', () => {
  it('by status', () => {
    const codes = [400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 529].map(status => [
      status,
      failure(status).code,
    ]);
    assert.deepEqual(Object.fromEntries(codes), {
      400: 'REQUEST_REJECTED',
      401: 'TEACHER_DENIED',
      402: 'TEACHER_UNPAID',
      403: 'TEACHER_DENIED',
      404: 'MODEL_UNKNOWN',
      408: 'TEACHER_TIMEOUT',
      413: 'REQUEST_REJECTED',
      422: 'REQUEST_REJECTED',
      429: 'TEACHER_BUSY',
      500: 'TEACHER_FAILED',
      502: 'TEACHER_FAILED',
      503: 'TEACHER_FAILED',
      504: 'TEACHER_FAILED',
      529: 'TEACHER_FAILED',
    });
  });

  it('by a code in the body, which says more', () => {
    assert.equal(failure(429, { error: { type: 'insufficient_quota', code: null } }).code, 'TEACHER_UNPAID');
    assert.equal(failure(400, { error: { code: 'content_filter' } }).code, 'REPLY_REFUSED');
    assert.equal(failure(400, [{ error: { details: [{ reason: 'API_KEY_INVALID' }] } }]).code, 'TEACHER_DENIED');
    assert.equal(failure(429, '<html>busy</html>').code, 'TEACHER_BUSY');
  });

  it('repeats known codes only', () => {
    assert.match(failure(400, { error: { code: 'context_length_exceeded' } }).message, /400 context_length_exceeded/);
    const shown = JSON.stringify(failure(400, { error: { code: 'lisinopril', message: 'lisinopril' } }));
    assert.ok(!shown.includes('lisinopril'));
  });

  it('waits as long as it was asked to', () => {
    assert.equal(waits({ 'retry-after': '0.5' }), 500);
    assert.equal(waits({ 'retry-after': '120' }), 120_000);
    assert.equal(waits({ 'retry-after': 'Wed, 25 Nov 2026 12:00:30 GMT' }), 30_000);
    assert.equal(waits({ 'retry-after-ms': '250', 'retry-after': '1' }), 250);
    assert.equal(waits({ 'retry-after': 'soon' }), undefined);
    const info = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '38.5s' };
    assert.equal(waits({}, JSON.stringify({ error: { details: [{ '@type': 'x' }, info] } })), 38_500);
    assert.equal(waits({}), undefined);
    assert.equal(waits({ 'retry-after-ms': '0', 'retry-after': '1' }), 1000, 'the next that says something');
    assert.equal(failure(503, {}, { 'retry-after': '3' }).retryAfterMs, 3000);
    assert.equal(failure(400, {}, { 'retry-after': '3' }).retryAfterMs, undefined);
  });

  it('does not wait for nothing, nor for ever', () => {
    for (const value of [
      '',
      ' ',
      '0',
      '0.0',
      '-5',
      'NaN',
      'Wed, 25 Nov 2026 11:00:00 GMT',
      'Wed, 25 Nov 2026 12:00:00 GMT',
    ])
      assert.equal(waits({ 'retry-after': value }), undefined, value);
    for (const value of ['', '0', '-1', 'Infinite']) assert.equal(waits({ 'retry-after-ms': value }), undefined, value);
    const info = (retryDelay: string): string =>
      JSON.stringify({ error: { details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay }] } });
    assert.equal(waits({}, info('0s')), undefined);
    const hour = 3_600_000;
    assert.deepEqual(
      [
        waits({ 'retry-after': '9'.repeat(30) }),
        waits({ 'retry-after-ms': 'Infinity' }),
        waits({}, info(`${'9'.repeat(40)}s`)),
      ],
      [hour, hour, hour],
    );
    assert.equal(waits({ 'retry-after': 'Wed, 25 Nov 2099 12:00:00 GMT' }), hour);
    assert.equal(waits({ 'retry-after': '3599' }), hour - 1000);
  });
});
