/** What a real Kafka needs of the machine. On a user's machine its absence is a loud skip; in CI it is a failure. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { downloaded } from './download.ts';

/** Kafka 4 and the registry run on this and later. */
const JAVA = 17;

/** The reason to skip where a broker cannot run. */
export function kafkaNeeds(): { skip: string | false } {
  const missing = missingForKafka();
  if (missing === undefined) return { skip: false };
  if (process.env.CI !== undefined) throw new Error(`${missing}: CI must have it`);
  return { skip: `SKIPPED: ${missing}, so nothing here runs against a real Kafka` };
}

/** What this machine lacks, in words. */
export function missingForKafka(): string | undefined {
  if (process.env.TEST_KAFKA_UNAVAILABLE !== undefined) return process.env.TEST_KAFKA_UNAVAILABLE;
  if (!onPath('java') || javaVersion() < JAVA) return `no Java ${JAVA} or newer`;
  if (!onPath('mvn') && !downloaded()) return 'no Maven (mvn)';
  if (!onPath('openssl')) return 'no openssl';
  return undefined;
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some(folder => existsSync(join(folder, program)));
}

/** Its major version; 0 for a stand-in that is no Java, 1 for Java 8 and older. */
function javaVersion(): number {
  const { stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  return Number(/version "(\d+)/.exec(stderr ?? '')?.[1] ?? 0);
}
