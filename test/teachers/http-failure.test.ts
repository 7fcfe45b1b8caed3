/** If this fails, a provider's "not now", "not you" and "not this" are taken for each other, or a wait that was asked for is not kept. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failureInside } from '../../src/teachers/error-body.ts';
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
    const statuses = [
      400, 401, 402, 403, 404, 405, 407, 408, 409, 410, 413, 415, 421, 422, 429, 500, 501, 502, 503, 504, 529,
    ];
    const codes = statuses.map(status => [status, failure(status).code]);
    assert.deepEqual(Object.fromEntries(codes), {
      400: 'REQUEST_REJECTED',
      401: 'TEACHER_DENIED',
      402: 'TEACHER_UNPAID',
      403: 'TEACHER_DENIED',
      404: 'TEACHER_FAILED',
      405: 'REQUEST_UNSUPPORTED',
      407: 'TEACHER_DENIED',
      408: 'TEACHER_TIMEOUT',
      409: 'TEACHER_FAILED',
      410: 'MODEL_UNKNOWN',
      413: 'REQUEST_REJECTED',
      415: 'REQUEST_UNSUPPORTED',
      421: 'TEACHER_FAILED',
      422: 'REQUEST_REJECTED',
      429: 'TEACHER_BUSY',
      500: 'TEACHER_FAILED',
      501: 'REQUEST_UNSUPPORTED',
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

  it('tells the note that is refused from the shape that every note has', () => {
    const note: readonly (readonly [number, object])[] = [
      [400, { code: 'context_length_exceeded', param: 'messages' }],
      [400, { code: 'string_above_max_length', param: 'messages[1].content' }],
      [
        400,
        { param: 'max_tokens', message: "This model's maximum context length is 8192 tokens and your request has" },
      ],
      [400, { status: 'INVALID_ARGUMENT', message: 'The input token count (9) exceeds the maximum number of tokens' }],
      [400, { code: null, type: 'invalid_request_error', param: null, message: 'unknown parameter store' }],
      [413, { code: null }],
    ];
    for (const [status, error] of note) {
      const { code, fault } = failure(status, { error });
      assert.deepEqual([code, fault], ['REQUEST_REJECTED', 'reply'], JSON.stringify(error));
    }
    const unknownName = 'Invalid JSON payload received. Unknown name "x" at \'generation_config\': Cannot find field.';
    const google = {
      '@type': 'type.googleapis.com/google.rpc.BadRequest',
      fieldViolations: [{ description: unknownName }],
    };
    const extra = [{ type: 'extra_forbidden', loc: ['body', 'store'], msg: 'Extra inputs are not permitted' }];
    const shape: readonly (readonly [number, object])[] = [
      [400, { error: { code: 'unsupported_parameter', param: 'max_tokens' } }],
      [400, { error: { code: 'unsupported_value', param: 'messages[0].role' } }],
      [400, { error: { code: 'unknown_parameter', param: 'store' } }],
      [400, { error: { code: null, param: 'response_format', message: "Invalid parameter: 'response_format'" } }],
      [400, { error: { code: 'invalid_value', param: 'max_tokens', message: 'max_tokens is too large' } }],
      [400, { error: { status: 'FAILED_PRECONDITION', message: 'User location is not supported for the API use.' } }],
      [400, { error: { status: 'INVALID_ARGUMENT', details: [google] } }],
      [422, { detail: extra }],
      [422, { object: 'error', message: { detail: extra }, type: 'invalid_request_error' }],
      [405, {}],
    ];
    for (const [status, body] of shape) {
      const { code, fault } = failure(status, body);
      assert.deepEqual([code, fault], ['REQUEST_UNSUPPORTED', 'setup'], JSON.stringify(body));
    }
  });

  it('does not let the text of a note make it a fault of the setup', () => {
    const quoted = 'Unknown name "x": unsupported_parameter; model not found; extra_forbidden; FAILED_PRECONDITION';
    const violation = { fieldViolations: [{ description: `Invalid value: ${quoted}` }] };
    for (const body of [
      { error: { message: quoted, code: null } },
      { error: { status: 'INVALID_ARGUMENT', message: quoted, details: [violation] } },
      { object: 'error', message: quoted, param: null, code: 400 },
    ])
      assert.equal(failure(400, body).code, 'REQUEST_REJECTED');
  });

  it('tells a moderated note from a denied key', () => {
    const openRouter = { code: 403, message: 'Input flagged', metadata: { reasons: ['violence'], flagged_input: '…' } };
    for (const error of [
      openRouter,
      { message: 'blocked by our content policy' },
      { message: 'requires moderation' },
    ]) {
      const { code, fault } = failure(403, { error });
      assert.deepEqual([code, fault], ['REPLY_REFUSED', 'reply']);
    }
    for (const body of ['', '<html>moderation</html>', { error: { message: 'Country not supported' } }])
      assert.equal(failure(403, body).code, 'TEACHER_DENIED');
  });

  it('a filter that stopped the request costs nothing', () => {
    const { usage } = failure(400, { error: { code: 'content_filter', innererror: {} } });
    assert.deepEqual(usage, { inputTokens: 0, outputTokens: 0, usd: 0, ms: 0 });
    assert.equal(failure(400).usage, undefined);
  });

  it('tells an unknown model from an address where nothing is', () => {
    for (const body of [
      { error: { code: 'model_not_found' } },
      { error: { code: 'DeploymentNotFound' } },
      { error: { message: 'model "llama9" not found, try pulling it first', type: 'api_error', code: null } },
      { error: { status: 'NOT_FOUND', message: 'models/x is not found for API version v1beta' } },
      { object: 'error', message: 'The model `x` does not exist.', type: 'NotFoundError', param: 'model', code: 404 },
    ])
      assert.equal(failure(404, body).code, 'MODEL_UNKNOWN', JSON.stringify(body));
    for (const body of [
      '',
      '<html>no model here: not found</html>',
      { detail: 'Not Found' },
      { error: { code: '404', message: 'Resource not found' } },
    ]) {
      const { code, fault, message } = failure(404, body);
      assert.deepEqual([code, fault], ['TEACHER_FAILED', 'provider']);
      assert.match(message, /base URL may be wrong/);
    }
  });

  it('whatever stands in the place of a text', () => {
    const odd = { toString: 1, valueOf: 1 };
    const body = { error: { code: odd, message: odd, details: [{ '@type': odd, retryDelay: odd }] } };
    for (const [status, code] of [
      [400, 'REQUEST_REJECTED'],
      [403, 'TEACHER_DENIED'],
      [404, 'TEACHER_FAILED'],
      [503, 'TEACHER_FAILED'],
    ] as const)
      assert.equal(failure(status, body).code, code);
    const violation = { fieldViolations: [{ description: odd }] };
    assert.equal(failure(400, { error: { details: [violation] } }).code, 'REQUEST_REJECTED');
    assert.equal(failureInside(body)?.status, 502);
  });

  it('by 200, where nothing of an answer came: of the provider, whatever it says', () => {
    for (const body of [
      {},
      { error: 'overloaded' },
      { error: 'overloaded', choices: null, usage: null },
      { code: 503, message: 'overloaded' },
      { detail: 'overloaded' },
      { detail: [{ msg: 'overloaded' }] },
      { status: 'error' },
    ]) {
      const inside = failureInside(body);
      assert.ok(inside, JSON.stringify(body));
      const { code, fault } = failure(inside.status, inside.body);
      assert.deepEqual([code, fault], ['TEACHER_FAILED', 'provider'], JSON.stringify(body));
    }
    const unknown = failureInside({ object: 'error', message: 'no such model', code: 'model_not_found' });
    assert.equal(unknown && failure(unknown.status, unknown.body).code, 'MODEL_UNKNOWN', 'where it says more');
  });

  it('by 200, of no answer that is empty', () => {
    for (const body of [
      { choices: [], usage: { prompt_tokens: 9 } },
      { choices: [] },
      { usageMetadata: { promptTokenCount: 9 } },
      { promptFeedback: { blockReason: 'SAFETY' } },
      { candidates: [{ finishReason: 'SAFETY' }] },
    ])
      assert.equal(failureInside(body), undefined, JSON.stringify(body));
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
