/** Which version of the code measured something, and on what. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { cpuFlags, int8Instructions, type Provenance } from '../benchmark/provenance.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PACKAGES = ['onnxruntime-node', 'tokenizers', 'kafkajs'];

/** The commit of the working tree, with `-dirty` when files differ from it; `unknown` outside a checkout. */
export function currentCommit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--exclude', '*'], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}

/** Its cores, their kind and what they have for int8, and the runtime. */
export function thisMachine(): string {
  const int8 = int8Instructions(cpuFlags(textOf('/proc/cpuinfo')));
  return `${cpus().length} × ${cpus()[0]?.model.trim()}${int8 && ` with ${int8}`}, Node ${process.version}`;
}

/** What a file of results says of itself. Take it before anything is measured. @param now milliseconds since the Unix epoch. */
export function provenanceOf(command: string, now: number): Provenance {
  return {
    command,
    commit: currentCommit(),
    date: new Date(now).toISOString(),
    machine: {
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      cpuFlags: cpuFlags(textOf('/proc/cpuinfo')),
      memoryBytes: totalmem(),
      system: `${process.platform} ${process.arch} ${release()}`,
      loadAverage: loadavg(),
    },
    versions: versionsOf(ROOT),
  };
}

/** Of Node, and of the packages that decide how fast a checkout runs, as installed there. */
export function versionsOf(root: string): Record<string, string> {
  const version = (name: string): string =>
    /"version":\s*"([^"]+)"/.exec(textOf(join(root, 'node_modules', name, 'package.json')))?.[1] ?? 'unknown';
  return { node: process.version, ...Object.fromEntries(PACKAGES.map(name => [name, version(name)])) };
}

/** Empty where there is no such file. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
