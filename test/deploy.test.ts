/** If this fails, deploy/ names a setting, a version or a file that is not there any more. No container engine is needed to know. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfig } from '../src/config.ts';
import { ROOT } from './support/model.ts';
import { temporaryFolder } from './support/temporary.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const compose = read('deploy/compose.yaml');
const dockerfile = read('deploy/Dockerfile');

describe('deploy', () => {
  it('sets only what the configuration knows', () => {
    const env = Object.fromEntries(
      [...compose.matchAll(/^\s+(CLINSTREAM_[A-Z_]+): (.+)$/gm)].map(([, name, value]) => [name, value]),
    );
    assert.ok(Object.keys(env).length >= 4);
    const config = loadConfig({ env });
    assert.deepEqual([config.transport, config.kafka.brokers], ['kafka', ['broker:19092']]);
    assert.match(config.registry.url ?? '', /\/apis\/ccompat\/v7$/);
  });

  it('says where its broker and registry are from outside', () => {
    const [, kafka] = /--kafka (\S+)/.exec(compose) ?? [];
    const [, port, path] = /^# CLINSTREAM_REGISTRY_URL=http:\/\/127\.0\.0\.1:(\d+)(\/\S+)\.$/m.exec(compose) ?? [];
    assert.ok(compose.includes(`ports: ["${kafka}:9092"]`));
    assert.ok(compose.includes(`ports: ["127.0.0.1:${port}:8080"]`));
    assert.ok(compose.includes(`CLINSTREAM_REGISTRY_URL: http://registry:8080${path}\n`));
  });

  it('runs the registry that the tests run, and a broker without the fault that they guard against', () => {
    const pinned = (pom: string): string => /<program.version>([^<]+)</.exec(read(`test/kafka/${pom}`))?.[1] ?? '';
    assert.ok(compose.includes(`apicurio/apicurio-registry:${pinned('registry.pom.xml')}\n`));
    const broker = /apache\/kafka:(\S+)\n/.exec(compose)?.[1] ?? '';
    assert.equal(broker, '4.2.0', 'run the Kafka suites on another one first, by the version in broker.pom.xml');
    assert.ok(['4.3.0', '4.3.1'].includes(pinned('broker.pom.xml')), 'skipped-markers.test.ts needs the fault');
  });

  it('copies all that the program needs', () => {
    const app = join(temporaryFolder('deploy'), 'app');
    mkdirSync(app);
    const copied = [...dockerfile.matchAll(/^COPY (.+) (\S+)$/gm)].flatMap(([, from]) => (from ?? '').split(' '));
    for (const each of copied) cpSync(join(ROOT, each), join(app, each), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(app, 'node_modules'));
    const [program, ...args] = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(dockerfile)?.[1] ?? '[]') as string[];
    assert.equal(program, 'node');
    const env = { PATH: process.env.PATH };
    const { status, stderr } = spawnSync(process.execPath, [...args, 'models', 'verify'], {
      cwd: app,
      env,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  });
});
