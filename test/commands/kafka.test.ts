/** If this fails, the commands would not work on someone's own Kafka, or not say what it lacks. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import kafkajs from 'kafkajs';
import { client } from '../kafka/client.ts';
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

  it('gives dead letters room for their headers and every topic its retention, with names and without', async () => {
    const { env, names } = await freshKafka(false);
    const other = (name: string): string => `${name}-2`;
    const own = {
      ...env,
      CLINSTREAM_TOPICS_NOTES: other(names.notes),
      CLINSTREAM_TOPICS_DEAD_LETTERS: other(names.deadLetters),
    };
    const kept = ['--retention-hours', '24'];
    const named = await clinstream(['topics', 'create', other(names.deadLetters), ...kept], { env: own });
    assert.equal(named.code, 0, named.stderr);
    assert.equal((await clinstream(['topics', 'create', ...kept], { env: own })).stdout, `${other(names.notes)}\n`);
    const admin = client(env.CLINSTREAM_KAFKA_BROKERS ?? '').admin();
    await admin.connect();
    try {
      const made = [names.notes, names.deadLetters, other(names.notes), other(names.deadLetters)];
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: made.map(name => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
      });
      const values = (key: string): number[] =>
        made.map(topic => {
          const entries = resources.find(each => each.resourceName === topic)?.configEntries ?? [];
          return Number(entries.find(each => each.configName === key)?.configValue);
        });
      const [notes = 0] = values('max.message.bytes');
      const room = notes + 64 * 1024;
      assert.deepEqual(values('max.message.bytes'), [notes, room, notes, room]);
      assert.deepEqual(values('retention.ms'), [-1, -1, 86_400_000, 86_400_000]);
    } finally {
      await admin.disconnect();
    }
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
