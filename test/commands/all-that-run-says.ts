/** Everything that a `run` tells anybody: standard output and error at its most talkative, its port, and the headers that it writes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StreamRecord } from '../../src/core/record.ts';
import type { Transport } from '../../src/streams/transport.ts';
import { readAll } from '../contract/harness.ts';
import { cleanEnvironment } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';

/** Word that stands in notes and may stand nowhere else. */
export const CANARY = 'zyxwcanary';

export interface Run {
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** When to ask its port and stop it. */
  readonly done: () => Promise<boolean>;
}

export async function allThatRunSays({ args = [], env = {}, done }: Run): Promise<string> {
  const child = spawn(process.execPath, [join(ROOT, 'src/main.ts'), 'run', ...args, '--metrics-port', '0'], {
    cwd: ROOT,
    env: cleanEnvironment({ ...env, CLINSTREAM_TELEMETRY_LEVEL: 'trace' }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', text => {
      output += String(text);
    });
  }
  try {
    while (child.exitCode === null && !(await done())) await sleep(20);
    assert.equal(child.exitCode, null, `it ended by itself: ${output.slice(-2_000)}`);
    const url = /health and metrics: (\S+)/.exec(output)?.[1];
    for (const path of ['/metrics', '/healthz', '/readyz', `/${CANARY.slice(0, 4)}`])
      output += await (await fetch(`${url}${path}`)).text();
    child.kill('SIGTERM');
    await once(child, 'exit');
    return output;
  } finally {
    child.kill('SIGKILL');
  }
}

/** The topic holds records, and none has the word in a header. */
export async function requireCleanHeaders(transport: Transport, topic: string): Promise<void> {
  const headers = (record: StreamRecord): string =>
    Object.entries(record.headers)
      .map(([name, value]) => `${name}=${value}`)
      .join();
  const found = await readAll(transport, topic);
  assert.ok(found.length > 0);
  assert.ok(
    found.every(record => !headers(record).includes(CANARY)),
    `headers of ${topic}`,
  );
}
