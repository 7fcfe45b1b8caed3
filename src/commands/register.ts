/** Every command with its options and its help; what each does is in the file of its name, loaded when it is called. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Config, configKeys, loadConfig, type Overrides } from '../config.ts';
import { unobserved } from '../core/facts.ts';
import type { Io } from './io.ts';
import { serveModel } from './serve-model.ts';
import { type TagFormat, tag } from './tag.ts';
import type { InputFormat } from './tag-input.ts';

type Finish = (exitCode: number) => void;

interface CommonOptions {
  readonly config?: string;
  readonly data?: string;
  readonly model?: string;
  readonly device?: string;
  readonly quiet?: boolean;
}

/** What the command line says overrides environment and file. */
function configOf(options: CommonOptions, io: Io, more: Overrides = {}): Config {
  return loadConfig({
    ...(options.config === undefined ? {} : { file: options.config }),
    env: io.env,
    overrides: { data: options.data, model: options.model, 'inference.device': options.device, ...more },
  });
}

function withModel(command: Command): Command {
  return command
    .option('--config FILE', 'configuration as JSON (default: clinstream.config.json where it exists)')
    .option('--model DIR', 'folder of the model that serves')
    .addOption(new Option('--device DEVICE', 'where the model runs').choices(['auto', 'cpu', 'cuda', 'webgpu']))
    .option('--quiet', 'no progress');
}

export function registerCommands(program: Command, io: Io, finish: Finish): void {
  program.addHelpText('after', () => EXIT_CODES);
  registerTag(program, io, finish);
}

function registerTag(program: Command, io: Io, finish: Finish): void {
  withModel(program.command('tag'))
    .description('Entities of the notes in files or standard input, in input order; reads no log and writes none.')
    .argument('[FILE...]', "notes: plain text, or JSON Lines {id, text} in *.jsonl; '-' is standard input", ['-'])
    .addOption(
      new Option('--format FORMAT', 'output: pretty on a terminal, else jsonl').choices(['pretty', 'jsonl', 'html']),
    )
    .addOption(new Option('--input FORMAT', 'what the files hold').choices(['auto', 'text', 'jsonl']).default('auto'))
    .action(async (paths: string[], options: CommonOptions & { format?: TagFormat; input: InputFormat }) => {
      const serving = await serveModel(configOf(options, io), unobserved);
      try {
        const format = options.format ?? (io.stdout.isTTY === true ? 'pretty' : 'jsonl');
        finish(await tag(serving, { paths, input: options.input, format, quiet: options.quiet === true }, io));
      } finally {
        await serving.stop();
      }
    });
}

/** A whole number for an option. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new InvalidArgumentError('a whole number is needed');
  return Number(text);
}

const EXIT_CODES = `
Exit codes: 0 done; 1 a fault of clinstream's own; 2 wrong option or configuration; 3 some input was refused (the rest
was processed); 4 the model does not serve; 5 the log or broker refused; 6 training or evaluation failed.

Configuration (file key, environment variable):
${configKeys()
  .map(({ key, environment }) => `  ${key.padEnd(28)} ${environment}`)
  .join('\n')}
`;
