/** Runs the program as a user does: a process with arguments, input, output and an exit code. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { MODEL_DIRECTORY, ROOT } from './model.ts';

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Environment without any of the user's own clinstream settings. */
export function cleanEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('CLINSTREAM_'));
  return {
    ...Object.fromEntries(kept),
    CLINSTREAM_MODEL: MODEL_DIRECTORY,
    CLINSTREAM_TELEMETRY_LEVEL: 'warn',
    ...extra,
  };
}

/** @param options `root`: the checkout whose program it is. */
export function clinstream(
  args: readonly string[],
  options: { input?: string | Buffer; env?: NodeJS.ProcessEnv; cwd?: string; root?: string } = {},
): Promise<Result> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [join(options.root ?? ROOT, 'src/main.ts'), ...args], {
      cwd: options.cwd ?? ROOT,
      env: cleanEnvironment(options.env),
      stdio: 'pipe',
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', text => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', text => {
      stderr += text;
    });
    child.stdin.on('error', () => {}); // a refused command does not read its input
    child.stdin.end(options.input ?? '');
    child.on('error', fail);
    child.on('close', code => done({ code, stdout, stderr }));
  });
}

/** A checkout of its own for commands that write into theirs. @returns `directory` */
export function copyOfSources(directory: string): string {
  mkdirSync(directory, { recursive: true });
  cpSync(join(ROOT, 'src'), join(directory, 'src'), { recursive: true });
  for (const name of ['package.json', 'schemas', 'models', 'test', 'node_modules'])
    symlinkSync(join(ROOT, name), join(directory, name));
  return directory;
}

/** The rows of JSON Lines output. */
export function rows<T = Record<string, unknown>>(stdout: string): T[] {
  return stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as T);
}

/** The address that `run` prints, once it says that it is ready. */
export function readyUrl(stderr: NodeJS.ReadableStream): Promise<string> {
  let seen = '';
  return new Promise((done, fail) => {
    stderr.on('data', text => {
      seen += String(text);
      const url = /health and metrics: (\S+)/.exec(seen)?.[1];
      if (url !== undefined && seen.includes('"state":"ready"')) done(url);
    });
    stderr.on('end', () => fail(new Error('the process ended before it was ready')));
  });
}
