/** What A and B may be: a commit, a configuration for this checkout, or both; and what is run for each. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { loadConfig, readConfigFile } from '../../config.ts';

export interface NamedVersion {
  /** As on the command line. */
  readonly given: string;
  /** Anything that git knows a commit by; undefined for this checkout's files as they are. */
  readonly commit: string | undefined;
  /** What its file says, unchecked: only the version that it is for knows its keys. */
  readonly configuration: Record<string, unknown>;
}

/** This checkout's files as they are, and the default configuration. */
const HERE = '.';

/** `COMMIT`, `FILE.json`, `COMMIT:FILE.json` or `.`; the file is one of this machine in every case. @throws ConfigError */
export function parseVersion(given: string): NamedVersion {
  if (given === HERE) return { given, commit: undefined, configuration: {} };
  if (!given.endsWith('.json')) return { given, commit: given, configuration: {} };
  const colon = existsSync(given) ? -1 : given.indexOf(':'); // no name that git knows a commit by has a colon
  const file = given.slice(colon + 1);
  const configuration = readConfigFile(file);
  if (colon > 0) return { given, commit: given.slice(0, colon), configuration };
  loadConfig({ file, env: {} }); // better refused now than after the first turn of the other
  return { given, commit: undefined, configuration };
}

/** For the name of a file. */
export function labelOf({ given, commit }: NamedVersion): string {
  if (given === HERE) return 'checkout';
  const name = commit === undefined ? basename(given) : given;
  return name.replace(/\.json$/, '').replace(/[^A-Za-z0-9._]+/g, '-');
}
