/** The options that many commands share, and the configuration that they and the environment make. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Config, ConfigError, loadConfig, type Overrides } from '../config.ts';
import type { Io } from './io.ts';

export interface CommonOptions {
  readonly config?: string;
  readonly data?: string;
  readonly kafka?: string;
  readonly model?: string;
  readonly device?: string;
  readonly quiet?: boolean;
}

/** What the command line says overrides environment and file. */
export function configOf(options: CommonOptions, io: Io, more: Overrides = {}): Config {
  return loadConfig({
    ...(options.config === undefined ? {} : { file: options.config }),
    env: io.env,
    overrides: { ...placeOf(options), model: options.model, 'inference.device': options.device, ...more },
  });
}

/** --kafka and --data each name the transport too, whatever environment and file say. */
function placeOf({ data, kafka }: CommonOptions): Overrides {
  if (data !== undefined && kafka !== undefined) {
    throw new ConfigError('CONFIG_INVALID', '--data names the embedded log and --kafka a cluster: give one of them');
  }
  if (kafka !== undefined) return { transport: 'kafka', 'kafka.brokers': kafka };
  return data === undefined ? {} : { transport: 'embedded', data };
}

export function withConfig(command: Command): Command {
  return command.option('--config <FILE>', 'configuration as JSON (default: clinstream.config.json where it exists)');
}

export function withModel(command: Command): Command {
  return withModelOnCpu(command).addOption(
    new Option('--device <DEVICE>', 'where the model runs').choices(['auto', 'cpu', 'cuda', 'webgpu']),
  );
}

/** For a command that scores on the processor alone, whatever the configuration says of devices. */
export function withModelOnCpu(command: Command): Command {
  return command.option('--model <DIR>', 'folder of the model that serves');
}

export function withLog(command: Command): Command {
  return withKafka(command.option('--data <DIR>', 'folder of the embedded log'));
}

/** For a measurement: its embedded log is a fresh one of its own. */
export function withKafka(command: Command): Command {
  return command.option(
    '--kafka <BROKERS>',
    'host:port of some Kafka brokers, separated by commas, instead of the embedded log',
  );
}

export function withQuiet(command: Command): Command {
  return command.option('--quiet', 'no progress');
}

/** A whole number for an option. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new InvalidArgumentError('a whole number is needed');
  return Number(text);
}

/** Where a record stands on its topic. */
export function place(text: string): string {
  if (!/^\d+:\d+$/.test(text)) throw new InvalidArgumentError('partition:offset is needed, as list prints it');
  return text;
}

/** A whole number from 1. */
export function positive(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError('a whole number from 1 is needed');
  return value;
}

/** From 0. */
export function amount(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && Number.isFinite(value)))
    throw new InvalidArgumentError('a number from 0 is needed');
  return value;
}

/** From 0, below 1. */
export function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < 1))
    throw new InvalidArgumentError('a share from 0 to below 1 is needed');
  return value;
}
