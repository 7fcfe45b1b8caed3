/** If these fail, an orchestrator sends work to a process that cannot do it, or restarts one that can. */
import assert from 'node:assert/strict';
import dns from 'node:dns';
import { describe, it, type TestContext } from 'node:test';
import { type Readiness, startTelemetryServer, TelemetryError } from '../../src/telemetry/server.ts';
import { CANARY, FACTS, watched } from './facts.ts';

async function serving(test: TestContext, ready?: () => Readiness) {
  const { telemetry } = watched('silent');
  const server = await startTelemetryServer({ telemetry, port: 0, ...(ready === undefined ? {} : { ready }) });
  test.after(server.stop);
  const get = async (path: string) => {
    const response = await fetch(`${server.url}${path}`);
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
  };
  return { telemetry, server, get };
}

describe('the telemetry server', () => {
  it('is alive from the start and listens on this machine only', async test => {
    const { server, get } = await serving(test);
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal((await get('/healthz')).status, 200);
  });

  it('is ready only while every role is, and says what is missing', async test => {
    const { telemetry, get } = await serving(test);
    const answer = async () => {
      const { status, body } = await get('/readyz');
      return [status, JSON.parse(body).code];
    };
    assert.deepEqual(await answer(), [503, 'ROLE_STARTING']);
    for (const [state, status, code] of [
      ['starting', 503, 'ROLE_STARTING'],
      ['ready', 200, undefined],
      ['draining', 503, 'ROLE_DRAINING'],
      ['failed', 503, 'ROLE_FAILED'],
    ] as const) {
      telemetry.observe({ kind: 'role.state', role: 'tagger', state });
      assert.deepEqual(await answer(), [status, code]);
    }
    telemetry.observe({ kind: 'role.state', role: 'tagger', state: 'ready' });
    telemetry.observe({ kind: 'role.state', role: 'escalator', state: 'starting' });
    assert.deepEqual(await answer(), [503, 'ROLE_STARTING']);
  });

  it('asks the readiness function, and takes its failure for a no', async test => {
    let readiness = (): Readiness => ({ ready: false, code: 'LAG_TOO_HIGH' });
    const { telemetry, get } = await serving(test, () => readiness());
    telemetry.observe(FACTS['role.state']);
    assert.equal((await get('/readyz')).body, '{"status":"not ready","code":"LAG_TOO_HIGH"}');
    readiness = () => {
      throw new Error(CANARY);
    };
    assert.deepEqual((await get('/readyz')).body, '{"status":"not ready","code":"READINESS_UNKNOWN"}');
    readiness = () => ({ ready: true });
    assert.equal((await get('/readyz')).status, 200);
  });

  it('serves the metrics in the format of Prometheus', async test => {
    const { telemetry, get } = await serving(test);
    telemetry.observe(FACTS['note.tagged']);
    const { status, type, body } = await get('/metrics');
    assert.equal(status, 200);
    assert.match(type ?? '', /^text\/plain; version=0\.0\.4/);
    assert.match(body, /^clinstream_notes_total 1$/m);
    assert.match(body, /^process_resident_memory_bytes \d+$/m);
  });

  it('quotes nothing of a request that it does not know', async test => {
    const { get } = await serving(test);
    const { status, body } = await get(`/${CANARY}?${CANARY}`);
    assert.equal(status, 404);
    assert.ok(!body.includes(CANARY));
  });

  it('says that a port is in use, and how to choose another', async test => {
    const { telemetry, server } = await serving(test);
    const port = Number(new URL(server.url).port);
    await assert.rejects(startTelemetryServer({ telemetry, port }), (error: unknown) => {
      assert.ok(error instanceof TelemetryError);
      assert.equal(error.code, 'PORT_IN_USE');
      assert.match(error.message, /telemetry\.port/);
      return true;
    });
  });

  it('says that an address is not of this machine', async () => {
    const { telemetry } = watched('silent');
    await assert.rejects(startTelemetryServer({ telemetry, host: '192.0.2.1', port: 0 }), {
      code: 'ADDRESS_UNAVAILABLE',
    });
  });

  it('says that no address is known for a name, now or at all, or none of its kind here', async test => {
    const { telemetry } = watched('silent');
    for (const code of ['ENOTFOUND', 'EAI_AGAIN', 'EAFNOSUPPORT', 'EINVAL']) {
      const lookup = test.mock.method(dns, 'lookup', (...args: unknown[]) => {
        const done = args.at(-1) as (error: Error) => void;
        done(Object.assign(new Error(code), { code }));
      });
      await assert.rejects(startTelemetryServer({ telemetry, host: 'nowhere.example', port: 0 }), {
        code: 'ADDRESS_UNAVAILABLE',
        message: new RegExp(`nowhere\\.example, port 0 \\(${code}\\): telemetry\\.host`),
      });
      lookup.mock.restore();
    }
  });

  it('quotes no path, not even one that is none', async test => {
    const { get } = await serving(test);
    for (const path of [`/${CANARY}`, `/%zz-${CANARY}`]) {
      const { status, body } = await get(path);
      assert.deepEqual([status >= 400 && status < 500, body.includes(CANARY)], [true, false], body);
    }
  });

  it('stops once, whoever asks and how often', async test => {
    const { server, get } = await serving(test);
    await get('/healthz');
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    await assert.rejects(get('/healthz'));
  });
});
