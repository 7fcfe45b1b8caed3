/** If this fails, the commands would not work on someone's own Kafka, or not say what it lacks. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { kafkaNeeds } from '../kafka/needs.ts';
import { cleanEnvironment, clinstream, readyUrl } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { freshKafka } from './kafka-place.ts';
import { note, wayOfANote } from './way-of-a-note.ts';

const { skip } = kafkaNeeds();
wayOfANote('Kafka', freshKafka, skip);

describe('clinstream on Kafka', { skip, timeout: 240_000 }, () => {
  it('runs until SIGTERM, is ready once it has its partitions, and ends well', async () => {
    const { call, env, names } = await freshKafka();
    const running = spawn(process.execPath, [join(ROOT, 'src/main.ts'), 'run', '--metrics-port', '0'], {
      cwd: ROOT,
      env: cleanEnvironment({ ...env, CLINSTREAM_TELEMETRY_LEVEL: 'info' }),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const url = await readyUrl(running.stderr);
    let status = 0;
    while (status !== 200) ({ status } = await fetch(`${url}/readyz`));
    await call(['produce'], note('n-1', 'Takes aspirin.'));
    let found = '';
    while (!found.includes('aspirin')) found = (await call(['consume', names.entities, '--until-end'])).stdout;
    const metrics = await (await fetch(`${url}/metrics`)).text();
    for (const name of ['group_settled', 'partition_lag', 'transaction_seconds_count', 'transaction_phases_total'])
      assert.match(metrics, new RegExp(`^clinstream_${name}\\{`, 'm'));
    running.kill('SIGTERM');
    assert.deepEqual((await once(running, 'exit'))[0], 0);
  });

  it('says what is missing, with exit code 5', async () => {
    const { call, names } = await freshKafka(false);
    const unregistered = await call(['run', '--until-drained', '--quiet']);
    assert.deepEqual([unregistered.code, /SCHEMA_NOT_REGISTERED/.test(unregistered.stderr)], [5, true]);
    assert.match(unregistered.stderr, /clinstream schemas register/);
    const again = await call(['topics', 'create', names.notes]);
    assert.deepEqual([again.code, /TOPIC_EXISTS/.test(again.stderr)], [5, true]);
    const unknown = await call(['consume', 'nowhere-at-all', '--until-end']);
    assert.deepEqual([unknown.code, /TOPIC_UNKNOWN/.test(unknown.stderr)], [5, true]);
    const away = await clinstream(['topics', 'list', '--kafka', '127.0.0.1:1']);
    assert.deepEqual([away.code, /BROKER_UNREACHABLE/.test(away.stderr)], [5, true]);
    const both = await clinstream(['topics', 'list', '--kafka', '127.0.0.1:1', '--data', 'x']);
    assert.deepEqual([both.code, /CONFIG_INVALID/.test(both.stderr)], [2, true]);
  });
});
