/**
 * The jars of a real broker and a real registry, fetched by Maven once a machine. A download is built aside and moved into
 * place whole: whoever finds the folder finds all of it, and of two processes that fetch at once the second uses the first's.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export interface Programs {
  /** Class path of the broker and its tools. */
  readonly broker: string;
  /** The registry's runnable jar. */
  readonly registry: string;
}

/** A process that was killed leaves its unfinished folder; nobody downloads for so long. */
const ABANDONED_MS = 3_600_000;
const GOALS = { broker: 'dependency:copy-dependencies', registry: 'dependency:unpack' } as const;
type Name = keyof typeof GOALS;

/** Where both are kept: $TEST_KAFKA_CACHE, else clinstream's folder in the user's cache. */
function cache(): string {
  return resolve(
    process.env.TEST_KAFKA_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'clinstream'),
  );
}

function place(name: Name): string {
  const pom = readFileSync(pomOf(name), 'utf8');
  const [, version] = /<program\.version>([^<]+)</.exec(pom) ?? [];
  return join(cache(), `kafka-${name}-${version}`);
}

const pomOf = (name: Name): string => join(import.meta.dirname, `${name}.pom.xml`);

export const downloaded = (): boolean => existsSync(place('broker')) && existsSync(place('registry'));

/** @throws Error with Maven's own words when it cannot fetch them. */
export async function download(): Promise<Programs> {
  const broker = await fetched('broker');
  const registry = await fetched('registry');
  const [jar] = globSync('apicurio-registry-app-*-runner.jar', { cwd: registry });
  if (jar === undefined) throw new Error(`no registry in ${registry}: remove that folder and try again`);
  return { broker: join(broker, '*'), registry: join(registry, jar) };
}

async function fetched(name: Name): Promise<string> {
  const folder = place(name);
  if (existsSync(folder)) return folder;
  mkdirSync(cache(), { recursive: true });
  for (const left of globSync(`${folder}.*.part`)) {
    const since = statSync(left, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - since > ABANDONED_MS) rmSync(left, { recursive: true, force: true });
  }
  process.stderr.write(`fetching the ${name} for tests into ${folder}: once, some minutes\n`);
  const aside = `${folder}.${process.pid}-${randomBytes(4).toString('hex')}.part`;
  const remove = (): void => rmSync(aside, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    await maven('--batch-mode', '--quiet', '--strict-checksums', '--file', pomOf(name), GOALS[name], `-Dinto=${aside}`);
    if (!existsSync(folder)) renameSync(aside, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error; // else another process moved its own in between
  } finally {
    remove();
    process.off('exit', remove);
  }
  return folder;
}

async function maven(...args: readonly string[]): Promise<void> {
  const child = spawn('mvn', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`mvn ${args.join(' ')} ended with ${code}:\n${said.slice(-4000)}`);
}
