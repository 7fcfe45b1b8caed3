/** If this fails, a typing mistake in a configuration would be swallowed, or an option would not mean what it says. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ConfigError, configKeys, loadConfig } from '../src/config.ts';
import { temporaryFolder } from './support/temporary.ts';

const folder = temporaryFolder('config');
function file(content: string): string {
  const path = join(folder, `${Math.abs(content.length * 31 + content.charCodeAt(1))}.json`);
  writeFileSync(path, content);
  return path;
}
const refusal =
  (pattern: RegExp, code = 'CONFIG_INVALID') =>
  (error: unknown) =>
    error instanceof ConfigError && error.code === code && pattern.test(error.message);

describe('config', () => {
  it('has defaults for every key and is frozen', () => {
    const config = loadConfig({ env: {} });
    assert.equal(config.topics.notes, 'clinical.notes');
    assert.equal(config.inference.device, 'auto');
    assert.ok(Object.isFrozen(config.inference));
  });

  it('prefers command line to environment to file', () => {
    const path = file('{"inference": {"device": "cpu", "workers": 3, "batchTokens": 512}}');
    const env = { CLINSTREAM_INFERENCE_WORKERS: '5', CLINSTREAM_INFERENCE_BATCH_TOKENS: '1024', HOME: '/' };
    const config = loadConfig({ file: path, env, overrides: { 'inference.batchTokens': 4096, data: undefined } });
    assert.deepEqual(
      [config.inference.device, config.inference.workers, config.inference.batchTokens],
      ['cpu', 5, 4096],
    );
  });

  it('names the key and the place of every mistake', () => {
    assert.throws(
      () => loadConfig({ file: file('{"inference": {"wrokers": 3}}'), env: {} }),
      refusal(/inference\.wrokers \(from .*json\): there is no such key/),
    );
    assert.throws(
      () => loadConfig({ env: { CLINSTREAM_INFERENCE_WORKERS: 'many' } }),
      refusal(/inference\.workers \(from environment variable CLINSTREAM_INFERENCE_WORKERS\)/),
    );
    assert.throws(
      () => loadConfig({ env: { CLINSTREAM_WORKERS: '2' } }),
      refusal(/CLINSTREAM_WORKERS is not an option/),
    );
    assert.throws(
      () => loadConfig({ env: {}, overrides: { 'inference.device': 'tpu' } }),
      refusal(/inference\.device \(from command line\)/),
    );
    assert.throws(
      () => loadConfig({ file: join(folder, 'absent.json'), env: {} }),
      refusal(/absent\.json/, 'CONFIG_UNREADABLE'),
    );
    assert.throws(() => loadConfig({ file: file('[1]'), env: {} }), refusal(/one JSON object/, 'CONFIG_UNREADABLE'));
    assert.throws(() => loadConfig({ file: file('{"a'), env: {} }), refusal(/JSON/, 'CONFIG_UNREADABLE'));
  });

  it('gives every key an environment name of its own', () => {
    const names = configKeys().map(each => each.environment);
    assert.equal(new Set(names).size, names.length);
    assert.ok(names.includes('CLINSTREAM_STREAM_TRANSACTION_MS'), names.join(' '));
  });
});
