/** If this fails, a typing mistake in a configuration would be swallowed, or an option would not mean what it says. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Config, ConfigError, configKeys, environmentName, loadConfig } from '../src/config.ts';
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
      refusal(/absent\.json: ENOENT; it must be a file/, 'CONFIG_UNREADABLE'),
    );
    assert.throws(() => loadConfig({ file: folder, env: {} }), refusal(/: EISDIR; it must/, 'CONFIG_UNREADABLE'));
    assert.throws(() => loadConfig({ file: file('[1]'), env: {} }), refusal(/one JSON object/, 'CONFIG_UNREADABLE'));
    assert.throws(() => loadConfig({ file: file('{"a'), env: {} }), refusal(/it is not JSON/, 'CONFIG_UNREADABLE'));
  });

  it('makes no number of what is none', () => {
    const config = loadConfig({ env: {} });
    const at = (object: object, key: string): unknown =>
      key.split('.').reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], object);
    const orNone = [
      'telemetry.port',
      ...Object.keys(config.escalation.budget).map(each => `escalation.budget.${each}`),
    ];
    const numeric = configKeys()
      .map(each => each.key)
      .filter(key => typeof at(config, key) === 'number' || orNone.includes(key) || key === 'inference.batchWindows');
    assert.ok(numeric.length > 30, `${numeric.length} keys`);
    for (const key of numeric) {
      const inFile = (value: unknown): Config => {
        const object = key.split('.').reduceRight<unknown>((inner, part) => ({ [part]: inner }), value);
        return loadConfig({ file: file(JSON.stringify(object)), env: {} });
      };
      const named = key.replaceAll('.', '\\.');
      for (const value of ['', ' ', ' 5', '5e1', '0x5', 'Infinity', true, false, [3], {}])
        assert.throws(() => inFile(value), refusal(new RegExp(`^${named} \\(from .*json\\): must be a number`)), key);
      if (orNone.includes(key)) assert.equal(at(inFile(null), key), null);
      else assert.throws(() => inFile(null), refusal(new RegExp(`^${named} `)), key);
      const name = environmentName(key);
      for (const value of ['', ' '])
        assert.throws(
          () => loadConfig({ env: { [name]: value } }),
          refusal(new RegExp(`^${named} \\(from .* ${name}\\)`)),
        );
      const low = refusal(new RegExp(`^${named} \\(from .* ${name}\\): (?!must be a number)`));
      assert.throws(() => loadConfig({ env: { [name]: '-2' } }), low, 'a number, but out of bounds');
    }
    const taken = loadConfig({
      env: { CLINSTREAM_ESCALATION_BUDGET_USD_PER_DAY: '0.5', CLINSTREAM_TELEMETRY_PORT: 'none' },
    });
    assert.deepEqual([taken.escalation.budget.usdPerDay, taken.telemetry.port], [0.5, null]);
  });

  it('passes over what Kubernetes sets for Services of our name, and nothing else', () => {
    const ofServices = {
      CLINSTREAM_SERVICE_HOST: '10.0.0.1',
      CLINSTREAM_SERVICE_PORT: '9464',
      CLINSTREAM_SERVICE_PORT_METRICS: '9464',
      CLINSTREAM_PORT: 'tcp://10.0.0.1:9464',
      CLINSTREAM_PORT_9464_TCP: 'tcp://10.0.0.1:9464',
      CLINSTREAM_PORT_9464_TCP_PROTO: 'tcp',
      CLINSTREAM_PORT_9464_TCP_PORT: '9464',
      CLINSTREAM_PORT_9464_TCP_ADDR: '10.0.0.1',
      CLINSTREAM_TAGGER_SERVICE_HOST: '10.0.0.2',
      CLINSTREAM_TAGGER_PORT: 'udp://10.0.0.2:9464',
      CLINSTREAM_TAGGER_PORT_9464_UDP: 'udp://10.0.0.2:9464',
    };
    assert.deepEqual(loadConfig({ env: ofServices }), loadConfig({ env: {} }));
    for (const [name, value] of [
      ['CLINSTREAM_WORKERS', '2'],
      ['CLINSTREAM_PORT', '9464'],
      ['CLINSTREAM_METRICS_PORT', '9464'],
      ['CLINSTREAM_PORT_9464', 'tcp://10.0.0.1:9464'],
    ] as const) {
      const env = { ...ofServices, [name]: value };
      assert.throws(() => loadConfig({ env }), refusal(new RegExp(`${name} is not an option .* 'clinstream --help'`)));
    }
    const own = { CLINSTREAM_TELEMETRY_PORT: 'tcp://10.0.0.1:9464' };
    assert.throws(
      () => loadConfig({ env: own }),
      refusal(/telemetry\.port/),
      'an option of ours is one, whatever it holds',
    );
  });

  it('takes teachers and rules from the file, or as JSON from the environment, and names what is wrong in them', () => {
    const teachers = [{ name: 'a', kind: 'openai', model: 'm', price: { input: 1, output: 2 } }];
    const escalation = { teachers, tasks: { symptom: { rate: 0.1, teachers: ['a'] } }, budget: { usdPerDay: null } };
    const fromFile = loadConfig({ file: file(JSON.stringify({ escalation })), env: {} }).escalation;
    const env = {
      CLINSTREAM_ESCALATION_TEACHERS: JSON.stringify(teachers),
      CLINSTREAM_ESCALATION_TASKS: JSON.stringify(escalation.tasks),
      CLINSTREAM_ESCALATION_BUDGET_USD_PER_DAY: 'none',
    };
    assert.deepEqual(loadConfig({ env }).escalation, fromFile);
    assert.deepEqual([fromFile.teachers[0]?.measured, fromFile.budget.usdPerDay], [{}, null]);
    const wrong = (changes: NodeJS.ProcessEnv, pattern: RegExp): void =>
      assert.throws(() => loadConfig({ env: { ...env, ...changes } }), refusal(pattern));
    const place = 'from environment variable CLINSTREAM_ESCALATION_TEACHERS';
    const twice = JSON.stringify([...teachers, ...teachers]);
    const keyed = JSON.stringify([{ ...teachers[0], apiKey: 'sk-1' }]);
    wrong({ CLINSTREAM_ESCALATION_TEACHERS: '[{' }, new RegExp(`escalation\\.teachers \\(${place}\\): must be JSON`));
    wrong(
      { CLINSTREAM_ESCALATION_TEACHERS: keyed },
      new RegExp(`teachers\\.0\\.apiKey \\(${place}\\): there is no such key`),
    );
    wrong({ CLINSTREAM_ESCALATION_TEACHERS: twice }, /two have the name a/);
    wrong(
      { CLINSTREAM_TOPICS_DEAD_LETTERS: 'clinical.notes' },
      /topics\.deadLetters: clinical\.notes is topics\.notes too; each needs a topic of its own/,
    );
    wrong({ CLINSTREAM_ESCALATION_TEACHERS: '[]' }, /escalation\.tasks\.symptom: a is none of escalation\.teachers/);
    wrong({ CLINSTREAM_ESCALATION_TASKS: '{"symptom": {"rate": 0.1, "threshold": 1, "teachers": ["a"]}}' }, /not both/);
    wrong(
      { CLINSTREAM_ESCALATION_TASKS: '{"symptom": {"teachers": ["a"]}}' },
      /escalation\.tasks\.symptom: give a rate or a threshold/,
    );
    wrong(
      { CLINSTREAM_ESCALATION_TASKS: '{"symptom": {"rate": 0.1, "teachers": ["a", "a"]}}' },
      /escalation\.tasks\.symptom\.teachers \(.*\): names a teacher twice/,
    );
    for (const [size, overlap] of [
      [100, 100],
      [100, 101],
    ]) {
      const cut = JSON.stringify([{ ...teachers[0], section: { size, overlap } }]);
      wrong({ CLINSTREAM_ESCALATION_TEACHERS: cut }, /teachers\.0\.section \(.*\): the overlap must be smaller/);
    }
  });

  it('takes no longer request than Node lets one wait', () => {
    const requestMs = (value: string) =>
      loadConfig({ env: { CLINSTREAM_ESCALATION_REQUEST_MS: value } }).escalation.requestMs;
    assert.equal(requestMs('299000'), 299_000);
    for (const value of ['299001', '300001'])
      assert.throws(() => requestMs(value), refusal(/escalation\.requestMs \(.*\): must be at most 299000: Node ends/));
  });

  it('gives every key an environment name of its own', () => {
    const names = configKeys().map(each => each.environment);
    assert.equal(new Set(names).size, names.length);
    assert.ok(names.includes('CLINSTREAM_STREAM_TRANSACTION_MS'), names.join(' '));
  });
});
