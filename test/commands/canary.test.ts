/** If this fails, text of a patient's note would leave the log by a side door: a log line, a metric, a header or an error. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OutgoingRecord, StreamRecord } from '../../src/core/record.ts';
import { EmbeddedTransport } from '../../src/streams/embedded/embedded-transport.ts';
import { inputs } from '../contract/corpus.ts';
import { readAll } from '../contract/harness.ts';
import { cleanEnvironment, clinstream } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';

const CANARY = 'zyxwcanary';
const TOPICS = ['clinical.notes', 'clinical.entities', 'clinical.dead-letters'];

/** Every kind of input and poison, its text full of the canary. */
async function canaries(): Promise<OutgoingRecord[]> {
  const all = await inputs(550);
  return all.map(({ record }, i) => {
    const { value } = record;
    // same length, so that the Avro around it stays what it was
    const text =
      value === null
        ? null
        : Buffer.from(
            value
              .toString('latin1')
              .replace(/Visit \d+: \w+/g, found => CANARY.padEnd(found.length, '!').slice(0, found.length)),
            'latin1',
          );
    return { ...record, value: i % 50 === 25 ? Buffer.from(`${CANARY} `.repeat(30)) : text };
  });
}

describe('canary', () => {
  it('is in no log line, metric, header or error of a run over good and bad notes', async () => {
    const data = temporaryFolder('canary');
    const log = new EmbeddedTransport({ directory: data, create: true, now: Date.now });
    for (const topic of TOPICS) await log.createTopic(topic, { partitions: 4, retention: { ms: null, bytes: null } });
    const records = await canaries();
    assert.ok(records.filter(each => each.value?.includes(CANARY)).length > 500, 'the notes are full of it');
    await log.append(records);

    const child = spawn(process.execPath, [join(ROOT, 'src/main.ts'), 'run', '--data', data, '--metrics-port', '0'], {
      cwd: ROOT,
      env: cleanEnvironment({ CLINSTREAM_TELEMETRY_LEVEL: 'trace' }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', text => {
        output += String(text);
      });
    }
    const open = async (): Promise<number> => (await log.lags()).reduce((sum, each) => sum + Number(each.lag), 0);
    while (child.exitCode === null && ((await log.lags()).length < 4 || (await open()) > 0)) await sleep(20);
    const url = /health and metrics: (\S+)/.exec(output)?.[1];
    for (const path of ['/metrics', '/healthz', '/readyz', `/${CANARY.slice(0, 4)}`])
      output += await (await fetch(`${url}${path}`)).text();
    child.kill('SIGTERM');
    await once(child, 'exit');
    assert.match(output, /clinstream_.*dead/, 'metrics were read');
    assert.match(output, /"fact":"note.tagged"/, 'the log was at its most talkative');
    assert.ok(!output.includes(CANARY), 'logs, metrics and health');

    const headers = (record: StreamRecord): string =>
      Object.entries(record.headers)
        .map(([name, value]) => `${name}=${value}`)
        .join();
    for (const topic of TOPICS.slice(1)) {
      const found = await readAll(log, topic);
      assert.ok(found.length > 0);
      assert.ok(
        found.every(record => !headers(record).includes(CANARY)),
        `headers of ${topic}`,
      );
    }
    assert.ok(!(await clinstream(['dead-letters', 'list', '--data', data])).stdout.includes(CANARY));
    await log.close();
  });

  it('is in no error of a command that cannot read its input', async () => {
    const folder = temporaryFolder('canary-input');
    const lines = [
      `{"id": 1, "text": "${CANARY}`,
      `{"${CANARY}": 1}`,
      `${CANARY}`,
      `{"id": ["${CANARY}"], "text": "x"}`,
      `{"id": 2, "text": "${CANARY}\\ud800"}`,
    ];
    const file = join(folder, 'bad.jsonl');
    writeFileSync(
      file,
      Buffer.concat([Buffer.from(lines.join('\n')), Buffer.from(`\n${CANARY}`), Buffer.from([0xff])]),
    );
    const data = join(folder, 'log');
    await clinstream(['topics', 'create', '--data', data]);
    for (const args of [
      ['tag', file],
      ['produce', file, '--data', data],
    ]) {
      const { code, stdout, stderr } = await clinstream(args);
      assert.equal(code, 3);
      assert.ok(!`${stdout}${stderr}`.includes(CANARY), `${args[0]}: ${stderr}`);
    }
  });
});
