/** The configuration's schema registry as its client wants it: files read, secrets taken from where they may stand. */
import { type Config, ConfigError } from '../config.ts';
import { SchemaRegistryClient } from '../events/registry.ts';
import { readText, secretOf } from './kafka-settings.ts';

/** Nothing is asked before the first use. @throws ConfigError naming the key that is missing or wrong. */
export function openRegistry({ registry }: Config, now: () => number): SchemaRegistryClient {
  const { url, username, caFile, autoRegister, requestMs } = registry;
  if (url === undefined) throw invalid('registry.url', 'no schema registry is named, such as http://127.0.0.1:8081');
  const { protocol, username: user, password: pass } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') throw invalid('registry.url', 'must begin with http: or https:');
  if (user !== '' || pass !== '') {
    throw invalid(
      'registry.url',
      'must hold no credentials: give registry.username, and the password in the environment',
    );
  }
  const password = secretOf(registry.password, registry.passwordFile, 'registry.passwordFile');
  if ((username === undefined) !== (password === undefined)) {
    throw invalid(
      username === undefined ? 'registry.username' : 'registry.password',
      'a username and a password (or passwordFile) belong together, and one is missing',
    );
  }
  return new SchemaRegistryClient({
    url,
    autoRegister,
    requestMs,
    now,
    ...(username === undefined || password === undefined ? {} : { auth: { username, password } }),
    ...(caFile === undefined ? {} : { ca: readText(caFile, 'registry.caFile') }),
  });
}

function invalid(key: string, what: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', `${key}: ${what}`, { details: { key } });
}
