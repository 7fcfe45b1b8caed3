#!/usr/bin/env node
/** The front door: one program, its commands, its exit codes. */
import { Command, CommanderError } from 'commander';
import { EXIT, exitCode, explain } from './commands/exit.ts';
import { type Io, ReaderGone } from './commands/io.ts';
import { registerCommands } from './commands/register.ts';

async function main(argv: readonly string[], io: Io): Promise<number> {
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
    if (error instanceof ReaderGone) return EXIT.ok;
    io.stderr.write(`${explain(error)}\n`);
    return exitCode(error);
  }
}

/** What may still be open when a command has ended is a connection to a broker that does not answer; readers of our output are waited for. */
const LINGER_MS = 2_000;

const { stdin, stdout, stderr, env } = process;
process.exitCode = await main(process.argv.slice(2), { stdin, stdout, stderr, env, now: Date.now });
setInterval(() => {
  if (stdout.writableLength === 0 && stderr.writableLength === 0) process.exit();
}, LINGER_MS).unref();
