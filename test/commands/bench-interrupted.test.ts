/** If this fails, an interrupted measurement passes for a finished one, hides what else went wrong, or leaves text of notes behind. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onKafka } from '../../src/commands/bench/place.ts';
import { runScript } from '../../src/commands/bench/rivals/script.ts';
import { withoutSecrets } from '../../src/commands/bench/without-secrets.ts';
import { Interrupted, orInterrupted } from '../../src/commands/signals.ts';
import { loadConfig } from '../../src/config.ts';
import { note } from '../contract/corpus.ts';
import { cleanEnvironment } from '../support/cli.ts';
import { MODEL_DIRECTORY, ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';

const MAIN = join(ROOT, 'src/main.ts');
const inside = (folder: string): string[] => readdirSync(folder).filter(name => name.startsWith('clinstream-'));

describe('an interrupted measurement', { timeout: 300_000 }, () => {
  for (const { command, holds } of [
    { command: 'pipeline --rounds 1', holds: 'clinstream-bench-' },
    { command: 'pipeline --rounds 1 --notes 1 --memory-notes 3000', holds: 'clinstream-memory-' },
    { command: 'fallback --rounds 1 --notes 8', holds: 'clinstream-fallback-' },
    { command: 'llm --rounds 1', holds: 'clinstream-bench-' },
    { command: 'llm --simulated --rounds 1 --times 1 --notes 2', holds: 'clinstream-llm-' },
  ])
    it(`ends with 130 and leaves nothing: ${command}`, async () => {
      const scratch = temporaryFolder('bench-interrupted');
      const env = cleanEnvironment({ TMPDIR: scratch });
      const child = spawn(process.execPath, [MAIN, 'bench', ...command.split(' ')], { env, stdio: 'ignore' });
      const ended = once(child, 'exit');
      while (!inside(scratch).some(name => name.startsWith(holds)) && child.exitCode === null) await sleep(10);
      child.kill('SIGINT');
      assert.deepEqual(await ended, [130, null]);
      assert.deepEqual(inside(scratch), []);
    });

  it("waits for clinstream's own turn beside its rivals, which takes its log away", async () => {
    const scratch = temporaryFolder('bench-interrupted');
    const config = loadConfig({ env: {}, overrides: { model: MODEL_DIRECTORY } });
    const notes = Array.from({ length: 2_000 }, (_, i) => note(i));
    const file = join(scratch, 'turn.json');
    writeFileSync(file, JSON.stringify({ config: withoutSecrets(config), notes }));
    const stopping = new AbortController();
    const program = join(ROOT, 'src/commands/bench/rivals/own-turn.ts');
    const turn = runScript(process.execPath, [program, file], stopping.signal, { TMPDIR: scratch });
    turn.catch(() => {}); // awaited below
    while (inside(scratch).length === 0) await sleep(10);
    stopping.abort();
    await assert.rejects(turn, { name: 'AbortError' });
    assert.deepEqual(inside(scratch), []);
  });

  it('is told from another failure that comes once the signal has', async () => {
    const stopping = new AbortController();
    const full = new Error('the disk is full');
    assert.equal(orInterrupted(full, stopping.signal), full);
    stopping.abort();
    assert.equal(orInterrupted(full, stopping.signal), full);
    assert.ok(orInterrupted(stopping.signal.reason, stopping.signal) instanceof Interrupted);
    const turn = runScript(process.execPath, ['--version'], stopping.signal);
    const error: unknown = await turn.catch((caught: unknown) => caught);
    assert.ok(orInterrupted(error, stopping.signal) instanceof Interrupted);
    await assert.rejects(runScript('/no/such/program', [], new AbortController().signal), { code: 'ENOENT' });
  });
});

describe('a place on Kafka', { timeout: 120_000 }, () => {
  it('fails with what failed in it, and says on standard error what it could not take away', async () => {
    const overrides = { transport: 'kafka', 'kafka.brokers': '127.0.0.1:1', 'kafka.connectMs': 200 };
    const config = loadConfig({ env: {}, overrides });
    const told: string[] = [];
    const stderr = { write: (line: string) => told.push(line) > 0, on: () => {} } as unknown as NodeJS.WriteStream;
    await assert.rejects(
      onKafka(config, { now: Date.now, stderr }, async () => {}),
      { stage: 'stream' },
    );
    assert.match(told.join(''), /^the topics bench-[-\w]+\.\* may still stand on the cluster: /);
  });
});
