/** The configuration's Kafka cluster as the transport wants it: files read, secrets taken from where they may stand. */
import { readFileSync } from 'node:fs';
import { type Config, ConfigError } from '../config.ts';
import type { KafkaSettings } from '../streams/kafka/client.ts';

/** @throws ConfigError naming the key of a file that cannot be read, or of what a mechanism lacks. */
export function kafkaSettings({ kafka }: Config): KafkaSettings {
  const { tls, sasl, ...rest } = kafka;
  return {
    ...rest,
    tls: tls.enabled ? tlsOptions(tls) : undefined,
    sasl: sasl.mechanism === 'none' ? undefined : saslOptions(sasl, kafka.connectMs),
  };
}

function tlsOptions({ caFile, certFile, keyFile }: Config['kafka']['tls']): NonNullable<KafkaSettings['tls']> {
  return {
    ...(caFile === undefined ? {} : { ca: readText(caFile, 'kafka.tls.caFile') }),
    ...(certFile === undefined ? {} : { cert: readText(certFile, 'kafka.tls.certFile') }),
    ...(keyFile === undefined ? {} : { key: readText(keyFile, 'kafka.tls.keyFile') }),
  };
}

function saslOptions(sasl: Config['kafka']['sasl'], connectMs: number): NonNullable<KafkaSettings['sasl']> {
  const { mechanism } = sasl;
  if (mechanism === 'oauthbearer') return { mechanism, oauthBearerProvider: tokenSource(sasl, connectMs) };
  if (mechanism === 'none') throw new TypeError('no mechanism, no options');
  const username = required(sasl.username, 'kafka.sasl.username', mechanism);
  const password = secretOf(sasl.password, sasl.passwordFile, 'kafka.sasl.passwordFile');
  return { mechanism, username, password: required(password, 'kafka.sasl.password', mechanism) };
}

/** The token in a file, which something else keeps fresh; or one by the client credentials grant (RFC 6749, 4.4). */
function tokenSource(sasl: Config['kafka']['sasl'], connectMs: number): () => Promise<{ value: string }> {
  const { tokenFile, tokenUrl, scope } = sasl;
  if (tokenFile !== undefined && tokenUrl !== undefined) throw oneOnly('kafka.sasl.tokenFile', 'kafka.sasl.tokenUrl');
  if (tokenFile !== undefined) return async () => ({ value: readText(tokenFile, 'kafka.sasl.tokenFile').trim() });
  const url = required(tokenUrl, 'kafka.sasl.tokenUrl (or tokenFile)', 'oauthbearer');
  const id = required(sasl.clientId, 'kafka.sasl.clientId', 'oauthbearer');
  const secret = required(
    secretOf(sasl.clientSecret, sasl.clientSecretFile, 'kafka.sasl.clientSecretFile'),
    'kafka.sasl.clientSecret',
    'oauthbearer',
  );
  return async () => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) });
    const authorization = `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`;
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: { authorization },
      redirect: 'error',
      signal: AbortSignal.timeout(connectMs),
    });
    const { access_token: value } = response.ok ? ((await response.json()) as { access_token?: unknown }) : {};
    if (typeof value !== 'string') {
      throw new ConfigError('CONFIG_INVALID', `kafka.sasl.tokenUrl gave no token (status ${response.status})`);
    }
    return { value };
  };
}

/** A secret from the environment, or the first line of its file. */
export function secretOf(value: string | undefined, file: string | undefined, key: string): string | undefined {
  if (value !== undefined && file !== undefined) throw oneOnly(key, key.replace(/File$/, ''));
  return value ?? (file === undefined ? undefined : readText(file, key).split(/\r?\n/, 1)[0]);
}

export function readText(path: string, key: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigError('CONFIG_UNREADABLE', `${key}: cannot read ${path}`, { details: { key }, cause });
  }
}

/** Which of the two is meant nobody can know, and the wrong one may still be let in. */
function oneOnly(key: string, other: string): ConfigError {
  const what = `${other} is given as well, and they may differ: leave one of them out`;
  return new ConfigError('CONFIG_INVALID', `${key}: ${what}`, { details: { key } });
}

function required(value: string | undefined, key: string, mechanism: string): string {
  if (value !== undefined && value !== '') return value;
  throw new ConfigError('CONFIG_INVALID', `${key}: needed by kafka.sasl.mechanism ${mechanism}`, { details: { key } });
}
