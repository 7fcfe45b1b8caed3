/** If these fail, a proxy that nobody allowed reads notes on their way to a host that was. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { allowedHost } from '../../src/teachers/egress.ts';
import { TeacherError } from '../../src/teachers/teacher-error.ts';

const ON = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: 'http://proxy.example:3128' };

function passes(
  env: NodeJS.ProcessEnv,
  { url = 'http://llm.example:8000/v1', allow = ['llm.example:8000'], execArgv = [] as string[] } = {},
): boolean {
  try {
    return allowedHost({ teacher: 't', url, allow, runtime: { env, execArgv } }) !== '';
  } catch (error) {
    assert.ok(error instanceof TeacherError && error.code === 'EGRESS_DENIED');
    assert.doesNotMatch(error.message, /secret/);
    return false;
  }
}

describe('a proxy of the environment', () => {
  it('is refused plain HTTP, however it was switched on', () => {
    const { NODE_USE_ENV_PROXY: _, ...off } = ON;
    assert.equal(passes(off), true, 'Node does not look at it');
    assert.equal(passes(ON), false);
    assert.equal(passes({ ...off, NODE_OPTIONS: '--no-warnings --use-env-proxy' }), false);
    assert.equal(passes(off, { execArgv: ['--use-env-proxy'] }), false);
    for (const spelling of ['--use_env_proxy', '--use-env_proxy', '--use-env-proxy=1']) {
      assert.equal(passes(off, { execArgv: [spelling] }), false, spelling);
      assert.equal(passes({ ...off, NODE_OPTIONS: spelling }), false, spelling);
    }
    for (const quoted of ['"--use-env-proxy"', '--use"-env"-proxy', '"--use\\-env-proxy"'])
      assert.equal(passes({ ...off, NODE_OPTIONS: quoted }), false, quoted);
    assert.equal(passes({ ...off, NODE_OPTIONS: '--no-use-env-proxy' }), true);
    assert.equal(passes({ NODE_USE_ENV_PROXY: '1', http_proxy: 'proxy.example' }), false, 'no URL');
    assert.equal(passes({ ...ON, HTTP_PROXY: 'http://user:secret@proxy.example:3128' }), false);
    assert.equal(passes(ON, { url: 'http://localhost:11434', allow: ['localhost'] }), false, 'this machine too');
  });

  it('may be allowed by name, with its port, as any host', () => {
    assert.equal(passes(ON, { allow: ['llm.example:8000', 'proxy.example:3128'] }), true);
    assert.equal(passes(ON, { allow: ['llm.example:8000', 'proxy.example'] }), false);
    const secret = { ...ON, HTTP_PROXY: 'http://user:secret@proxy.example:3128' };
    assert.equal(passes(secret, { allow: ['llm.example:8000', 'proxy.example:3128'] }), true);
  });

  it('does not matter where it reads nothing', () => {
    assert.equal(passes(ON, { url: 'https://llm.example:8000' }), true, 'a tunnel');
    assert.equal(passes({ ...ON, NO_PROXY: 'other, LLM.example' }), true);
    assert.equal(passes({ ...ON, no_proxy: '*' }), true);
    assert.equal(passes({ ...ON, NO_PROXY: 'other.example' }), false);
    assert.equal(passes({ NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: 'http://proxy.example' }), true);
  });
});

describe('a real proxy', () => {
  const seen: string[] = [];
  const proxy = createServer((request, response) => {
    request.setEncoding('utf8').on('data', text => seen.push(text));
    request.on('end', () => response.setHeader('content-type', 'application/json').end('{"through": "proxy"}'));
  });
  proxy.on('connect', (_, socket) => {
    // what Node of this version makes of HTTP in a tunnel: to the proxy it is as readable
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    socket.on('data', bytes => {
      seen.push(String(bytes));
      if (!seen.join('').includes('NOTE')) return;
      socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{"through": "proxy"}');
    });
  });
  const target = createServer((request, response) => {
    request
      .resume()
      .on('end', () => response.setHeader('content-type', 'application/json').end('{"through": "nothing"}'));
  });
  after(() => {
    for (const server of [proxy, target]) {
      server.close();
      server.closeAllConnections();
    }
  });

  async function listening(server: Server): Promise<string> {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('sees no note unless it is named', async () => {
    const [through, to] = [await listening(proxy), await listening(target)];
    /** What a process says that sends a note. */
    const said = async (allow: readonly string[], changes: NodeJS.ProcessEnv = {}): Promise<string> => {
      const module = new URL('../../src/teachers/guarded-fetch.ts', import.meta.url).href;
      const script = `const { guardedFetch } = await import('${module}');
        const send = guardedFetch({ teacher: 't', allow: ${JSON.stringify(allow)}, now: Date.now, answer: 'any' });
        const answer = send('http://${to}/v1', { method: 'POST', body: 'NOTE' });
        console.log(await answer.then(response => response.text(), error => error.code));`;
      const env = { PATH: process.env.PATH, NODE_USE_ENV_PROXY: '1', HTTP_PROXY: `http://${through}`, ...changes };
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env });
      let text = '';
      for await (const chunk of child.stdout.setEncoding('utf8')) text += chunk;
      return text.trim();
    };
    assert.equal(await said([to]), 'EGRESS_DENIED');
    assert.equal(await said([to], { NO_PROXY: '127.0.0.1' }), '{"through": "nothing"}');
    assert.deepEqual(seen, []);
    assert.equal(await said([to, through]), '{"through": "proxy"}');
    assert.match(seen.join(''), /NOTE/, 'so this is what would have been read');
  });
});
