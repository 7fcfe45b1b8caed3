/** A configuration as it may stand in a file. */
import type { Config } from '../../config.ts';
import { SECRETS } from '../../config-kafka.ts';

/** A copy in plain JSON; secrets may not stand in a file, so the program that reads it has none. */
export function withoutSecrets(config: Partial<Config>): Record<string, unknown> {
  const plain = JSON.parse(JSON.stringify(config)) as Record<string, Record<string, Record<string, unknown>>>;
  for (const secret of SECRETS) {
    const [part = '', ...path] = secret.split('.');
    const name = path.pop() as string;
    const holder = path.reduce<Record<string, unknown> | undefined>(
      (object, key) => object?.[key] as never,
      plain[part],
    );
    delete holder?.[name];
  }
  return plain;
}
