/** If this fails, a secret would be read from where it may not stand, or a missing file would surface as a broker's refusal. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { kafkaSettings } from '../../src/commands/kafka-settings.ts';
import { ConfigError, environmentName, loadConfig } from '../../src/config.ts';
import type { KafkaSettings } from '../../src/streams/kafka/client.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('kafka-settings');
const SECRET = 'hunter-2';

function settings(env: NodeJS.ProcessEnv): KafkaSettings {
  const base = { CLINSTREAM_TRANSPORT: 'kafka', CLINSTREAM_KAFKA_BROKERS: 'a:1, b:2' };
  return kafkaSettings(loadConfig({ env: { ...base, ...env } }));
}

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const refusal =
  (pattern: RegExp, code = 'CONFIG_INVALID') =>
  (error: unknown): boolean =>
    error instanceof ConfigError &&
    error.code === code &&
    pattern.test(error.message) &&
    !error.message.includes(SECRET);

describe('settings of a Kafka cluster', () => {
  it('are plaintext without more, with every broker named', () => {
    const { brokers, tls, sasl } = settings({});
    assert.deepEqual([brokers, tls, sasl], [['a:1', 'b:2'], undefined, undefined]);
  });

  it('need a broker, and heartbeats that fit the session', () => {
    assert.throws(() => loadConfig({ env: { CLINSTREAM_TRANSPORT: 'kafka' } }), refusal(/kafka\.brokers/));
    assert.throws(
      () => settings({ CLINSTREAM_KAFKA_SESSION_MS: '6000', CLINSTREAM_KAFKA_HEARTBEAT_MS: '4000' }),
      refusal(/heartbeatMs/),
    );
  });

  it('take certificates and passwords from files, and name a file that cannot be read', () => {
    const scram = { CLINSTREAM_KAFKA_SASL_MECHANISM: 'scram-sha-512', CLINSTREAM_KAFKA_SASL_USERNAME: 'u' };
    const { tls, sasl } = settings({
      ...scram,
      CLINSTREAM_KAFKA_TLS_ENABLED: 'true',
      CLINSTREAM_KAFKA_TLS_CA_FILE: file('ca.pem', 'CA'),
      CLINSTREAM_KAFKA_SASL_PASSWORD_FILE: file('password', `${SECRET}\n`),
    });
    assert.deepEqual([tls, sasl], [{ ca: 'CA' }, { mechanism: 'scram-sha-512', username: 'u', password: SECRET }]);
    assert.throws(() => settings({ ...scram, CLINSTREAM_KAFKA_SASL_PASSWORD: '' }), refusal(/kafka\.sasl\.password/));
    assert.throws(
      () => settings({ ...scram, CLINSTREAM_KAFKA_SASL_PASSWORD_FILE: join(folder, 'absent') }),
      refusal(/kafka\.sasl\.passwordFile.*absent/, 'CONFIG_UNREADABLE'),
    );
    assert.throws(() => settings({ CLINSTREAM_KAFKA_TLS_ENABLED: 'yes' }), refusal(/kafka\.tls\.enabled/));
  });

  it('refuse a secret in a file of the configuration, without repeating it', () => {
    const path = file('config.json', JSON.stringify({ kafka: { sasl: { password: SECRET } } }));
    assert.throws(() => loadConfig({ file: path, env: {} }), refusal(/CLINSTREAM_KAFKA_SASL_PASSWORD/));
  });

  it('refuse what would be passed over, by its key, unless nothing is to be sent to a cluster', () => {
    const tls = ['caFile', 'certFile', 'keyFile'].map(
      key => [`kafka.tls.${key}`, /kafka\.tls\.enabled is false/] as const,
    );
    const password = ['username', 'password', 'passwordFile'];
    const token = ['tokenFile', 'tokenUrl', 'clientId', 'clientSecret', 'clientSecretFile', 'scope'];
    const none = [...password, ...token].map(key => [`kafka.sasl.${key}`, /mechanism none does not use it/] as const);
    for (const [key, why] of [...tls, ...none]) {
      const env = { [environmentName(key)]: key.endsWith('Url') ? 'https://a/token' : SECRET };
      assert.throws(() => settings(env), refusal(new RegExp(`^${key.replaceAll('.', '\\.')}: .*${why.source}`)));
      assert.ok(loadConfig({ env }), 'a secret in the environment of an embedded log');
    }
    for (const [mechanism, keys] of [
      ['plain', token],
      ['scram-sha-256', token],
      ['oauthbearer', password],
    ] as const) {
      for (const key of keys) {
        const value = key.endsWith('Url') ? 'https://a/token' : SECRET;
        const env = { CLINSTREAM_KAFKA_SASL_MECHANISM: mechanism, [environmentName(`kafka.sasl.${key}`)]: value };
        assert.throws(
          () => settings(env),
          refusal(new RegExp(`^kafka\\.sasl\\.${key}: .*${mechanism} does not use it`)),
        );
      }
    }
  });

  it('refuse two ways to one secret or token, since they may differ, without repeating either', () => {
    const sasl = (mechanism: string, given: Readonly<Record<string, string>>): KafkaSettings =>
      settings({
        CLINSTREAM_KAFKA_SASL_MECHANISM: mechanism,
        ...Object.fromEntries(Object.entries(given).map(([key, value]) => [`CLINSTREAM_KAFKA_SASL_${key}`, value])),
      });
    const PASSWORD = { USERNAME: 'u', PASSWORD: SECRET, PASSWORD_FILE: file('other', 'other') };
    assert.throws(() => sasl('plain', PASSWORD), refusal(/^kafka\.sasl\.passwordFile: kafka\.sasl\.password is given/));
    const token = { TOKEN_FILE: file('token', 't'), TOKEN_URL: 'https://a/token' };
    assert.throws(() => sasl('oauthbearer', token), refusal(/^kafka\.sasl\.tokenFile: kafka\.sasl\.tokenUrl is given/));
    const { TOKEN_URL } = token;
    const client = { TOKEN_URL, CLIENT_ID: 'c', CLIENT_SECRET: SECRET, CLIENT_SECRET_FILE: file('secret', 'other') };
    assert.throws(
      () => sasl('oauthbearer', client),
      refusal(/^kafka\.sasl\.clientSecretFile: kafka\.sasl\.clientSecret is given/),
    );
  });

  it('send the secret of a client over TLS alone, but to this machine', () => {
    const to = (url: string): KafkaSettings =>
      settings({
        CLINSTREAM_KAFKA_SASL_MECHANISM: 'oauthbearer',
        CLINSTREAM_KAFKA_SASL_TOKEN_URL: url,
        CLINSTREAM_KAFKA_SASL_CLIENT_ID: 'c',
        CLINSTREAM_KAFKA_SASL_CLIENT_SECRET: SECRET,
      });
    for (const url of ['http://idp.example/token', 'http://127.0.0.1.idp.example/token', 'ftp://localhost/token'])
      assert.throws(() => to(url), refusal(/^kafka\.sasl\.tokenUrl: must begin with https:/));
    for (const url of ['https://idp.example/token', 'http://localhost:1/token', 'http://[::1]:1/token'])
      assert.ok(to(url).sasl);
  });

  it('fetch a token by the client credentials grant, and say when none is given', async () => {
    let asked = '';
    let status = 200;
    const server = createServer((request, response) => {
      request.on('data', body => {
        asked = `${request.headers.authorization} ${body}`;
        response.writeHead(status, { 'content-type': 'application/json' }).end('{"access_token": "t-1"}');
      });
    }).listen(0, '127.0.0.1');
    await new Promise(listening => server.once('listening', listening));
    const { sasl } = settings({
      CLINSTREAM_KAFKA_SASL_MECHANISM: 'oauthbearer',
      CLINSTREAM_KAFKA_SASL_TOKEN_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
      CLINSTREAM_KAFKA_SASL_CLIENT_ID: 'c',
      CLINSTREAM_KAFKA_SASL_CLIENT_SECRET: SECRET,
      CLINSTREAM_KAFKA_SASL_SCOPE: 'kafka',
    });
    assert.ok(sasl?.mechanism === 'oauthbearer');
    assert.deepEqual(await sasl.oauthBearerProvider(), { value: 't-1' });
    assert.equal(
      asked,
      `Basic ${Buffer.from(`c:${SECRET}`).toString('base64')} grant_type=client_credentials&scope=kafka`,
    );
    status = 401;
    await assert.rejects(sasl.oauthBearerProvider(), refusal(/tokenUrl gave no token \(status 401\)/));
    server.close();
  });
});
