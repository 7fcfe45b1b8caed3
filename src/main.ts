#!/usr/bin/env node
/** The front door: one program, its commands, its exit codes. */
import { Command, CommanderError } from 'commander';
import { EXIT, exitCode, explain } from './commands/exit.ts';
import { flushed, type Io, ReaderGone, report, watch, writeWholly } from './commands/io.ts';
import { registerCommands } from './commands/register.ts';
import { Interrupted } from './commands/signals.ts';

async function main(argv: readonly string[], io: Io): Promise<number> {
  writeWholly(io.stdout);
  watch(io.stdout);
  watch(io.stderr);
  try {
    const code = await call(argv, io);
    await flushed(io.stdout);
    return code;
  } catch (error) {
    if (error instanceof ReaderGone) return EXIT.ok;
    if (error instanceof Interrupted) return EXIT.interrupted;
    await report(io, explain(error));
    return exitCode(error);
  }
}

/** @returns the exit code of the command, or of arguments that name none. */
async function call(argv: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.ok;
  const program = new Command('clinstream')
    .description('Streaming clinical NLP: notes in; offset-exact medications, diseases and symptoms out, exactly once.')
    .exitOverride()
    .configureOutput({ writeOut: text => io.stdout.write(text), writeErr: text => io.stderr.write(text) })
    .showHelpAfterError("(see 'clinstream --help')");
  registerCommands(program, io, result => {
    code = result;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    throw error;
  }
}

const { stdin, stdout, stderr, env } = process;
process.exitCode = await main(process.argv.slice(2), { stdin, stdout, stderr, env, now: Date.now });
