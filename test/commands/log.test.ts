/** If this fails, the way of a note over the embedded log would break, or a wrong command would not say so. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { cleanEnvironment, clinstream, readyUrl, rows } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { type Place, wayOfANote } from './way-of-a-note.ts';

const folder = temporaryFolder('cli-log');
let logs = 0;

/** A fresh log with its topics, and the commands on it. */
async function freshLog(): Promise<Place & { readonly data: string }> {
  const data = join(folder, String(logs++));
  const call = (args: readonly string[], input = '') => clinstream([...args, '--data', data], { input });
  assert.equal((await call(['topics', 'create'])).code, 0);
  const names = {
    notes: 'clinical.notes',
    entities: 'clinical.entities',
    deadLetters: 'clinical.dead-letters',
    group: 'clinstream-tagger',
  };
  return { data, call, names };
}

wayOfANote('the embedded log', freshLog);

describe('a log', () => {
  it('keeps what it is told to, with names and without', async () => {
    const data = join(folder, String(logs++));
    const kept = ['--retention-hours', '24', '--retention-bytes', '1000', '--data', data];
    assert.equal((await clinstream(['topics', 'create', 'of-ours', ...kept])).code, 0);
    assert.equal((await clinstream(['topics', 'create', ...kept])).code, 0);
    const listed = await clinstream(['topics', 'list', '--format', 'jsonl', '--data', data]);
    const topics = rows<{ topic: string; retention: object }>(listed.stdout);
    assert.equal(topics.length, 6);
    for (const { topic, retention } of topics) assert.deepEqual(retention, { ms: 86_400_000, bytes: 1000 }, topic);
  });

  it('refuses what is not there, already there, or already running, with exit code 5', async () => {
    const { data, call } = await freshLog();
    assert.match((await clinstream(['run', '--data', join(folder, 'absent')])).stderr, /LOG_MISSING/);
    const again = await call(['topics', 'create', 'clinical.notes']);
    assert.deepEqual([again.code, /TOPIC_EXISTS/.test(again.stderr)], [5, true]);
    const unknown = await call(['consume', 'nowhere', '--until-end']);
    assert.deepEqual([unknown.code, /TOPIC_UNKNOWN/.test(unknown.stderr)], [5, true]);
    const running = spawn(process.execPath, [join(ROOT, 'src/main.ts'), 'run', '--data', data, '--metrics-port', '0'], {
      cwd: ROOT,
      env: cleanEnvironment({ CLINSTREAM_TELEMETRY_LEVEL: 'info' }),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const url = await readyUrl(running.stderr);
    const second = await call(['run', '--until-drained']);
    assert.deepEqual([second.code, /runs group clinstream-tagger/.test(second.stderr)], [5, true]);
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.match(metrics, /clinstream_/);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    running.kill('SIGTERM');
    const [code] = await once(running, 'exit');
    assert.equal(code, 0, 'SIGTERM drains, commits and ends well');
    assert.equal((await call(['run', '--until-drained', '--quiet'])).code, 0, 'and frees the group');
  });
});
