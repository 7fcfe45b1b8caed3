/** Runs a command of the program in this process, where starting one for each of many cases would cost more than the case. */
import { Writable } from 'node:stream';
import { Command, CommanderError } from 'commander';
import { EXIT, exitCode, explain } from '../../src/commands/exit.ts';
import type { Io } from '../../src/commands/io.ts';
import { registerCommands } from '../../src/commands/register.ts';
import { cleanEnvironment, type Result } from './cli.ts';

export async function here(args: readonly string[]): Promise<Result> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written): NodeJS.WriteStream => {
    const write = (chunk: Buffer, _encoding: unknown, done: () => void): void => {
      written[name] += chunk.toString();
      done();
    };
    return new Writable({ write }) as NodeJS.WriteStream;
  };
  const [stdout, stderr] = [stream('stdout'), stream('stderr')];
  const io: Io = { stdin: process.stdin, stdout, stderr, env: cleanEnvironment(), now: Date.now };
  const program = new Command('clinstream').exitOverride().configureOutput({
    writeOut: text => void stdout.write(text),
    writeErr: text => void stderr.write(text),
  });
  let code: number = EXIT.ok;
  registerCommands(program, io, result => {
    code = result;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    code = error instanceof CommanderError ? EXIT.usage : exitCode(error);
    if (!(error instanceof CommanderError)) stderr.write(`${explain(error)}\n`);
  }
  return { code, ...written };
}
