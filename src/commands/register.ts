/** Every command with its options and its help; what each does is in the file of its name, loaded when it is called. */
import { type Command, Option } from 'commander';
import { type Config, ConfigError, configKeys, type Overrides } from '../config.ts';
import { unobserved } from '../core/facts.ts';
import { consume } from './consume.ts';
import { type DeadLetterFilter, listDeadLetters, replayDeadLetters } from './dead-letters.ts';
import { DEMO_DATA, demo } from './demo.ts';
import { demoFallback } from './demo-fallback.ts';
import { fallback } from './fallback.ts';
import type { Io } from './io.ts';
import {
  type CommonOptions,
  configOf,
  place,
  wholeNumber,
  withConfig,
  withLog,
  withModel,
  withQuiet,
} from './options.ts';
import { produce } from './produce.ts';
import { registerBench } from './register-bench.ts';
import { registerDistill } from './register-distill.ts';
import { registerModels, registerRoute } from './register-offline.ts';
import { ROLES, type Role, run } from './run.ts';
import { checkSchemas, registerAllSchemas } from './schemas.ts';
import { serveModel } from './serve-model.ts';
import { type TagFormat, tag } from './tag.ts';
import type { InputFormat } from './tag-input.ts';
import { createTopics, listTopics } from './topics.ts';

type Finish = (exitCode: number) => void;

export function registerCommands(program: Command, io: Io, finish: Finish): void {
  program.addHelpText('after', () => EXIT_CODES);
  registerTag(program, io, finish);
  registerDemo(program, io, finish);
  registerRun(program, io);
  registerTopics(program, io);
  registerProduce(program, io, finish);
  registerConsume(program, io);
  registerDeadLetters(program, io);
  registerSchemas(program, io, finish);
  registerModels(program, io);
  registerRoute(program, io, finish);
  registerDistill(program, io, finish);
  registerBench(program, io, finish);
}

function registerTag(program: Command, io: Io, finish: Finish): void {
  withQuiet(withModel(withConfig(program.command('tag'))))
    .description('Entities of the notes in files or standard input, in input order; reads no log and writes none.')
    .argument('[FILE...]', "notes: plain text, or JSON Lines {id, text} in *.jsonl; '-' is standard input", ['-'])
    .addOption(
      new Option('--format <FORMAT>', 'output: pretty on a terminal, else jsonl').choices(['pretty', 'jsonl', 'html']),
    )
    .addOption(new Option('--input <FORMAT>', 'what the files hold').choices(['auto', 'text', 'jsonl']).default('auto'))
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

function registerDemo(program: Command, io: Io, finish: Finish): void {
  withQuiet(withModel(withConfig(program.command('demo'))))
    .description('The main job on 264 real-style notes: log, tagger, entities, and a page that shows them all.')
    .addOption(
      new Option(
        '--fallback <TEACHER>',
        'show what becomes of doubtful notes instead, with an emulated provider that fails and recovers',
      ).choices(['simulated']),
    )
    .option('--notes <N>', 'with --fallback: only so many notes', wholeNumber)
    .action(async (options: CommonOptions & { fallback?: 'simulated'; notes?: number }) => {
      const { notes } = options;
      const quiet = options.quiet === true;
      if (options.fallback !== undefined) {
        const configure = (overrides: Overrides): Config => configOf(options, io, overrides);
        finish(await demoFallback(configure, { quiet, ...(notes === undefined ? {} : { notes }) }, io, fallback));
        return;
      }
      if (notes !== undefined) throw new ConfigError('CONFIG_INVALID', '--notes goes with --fallback');
      await demo(configOf(options, io, { transport: 'embedded', data: DEMO_DATA }), { quiet }, io);
    });
}

function registerRun(program: Command, io: Io): void {
  withQuiet(withModel(withLog(withConfig(program.command('run')))))
    .description('A role on the log, exactly once: what it reads, and all that comes of it. Ends on SIGTERM.')
    .addOption(
      new Option('--role <ROLE>', 'tagger: notes to entities and escalations; escalator: escalations to revisions')
        .choices(ROLES)
        .default('tagger'),
    )
    .option('--until-drained', 'end when the input is consumed: for batch jobs and backfills')
    .option('--metrics-port <PORT>', 'serve /healthz, /readyz and /metrics (0: any free port)', wholeNumber)
    .action((options: CommonOptions & { role: Role; untilDrained?: boolean; metricsPort?: number }) =>
      run(
        configOf(options, io, { 'telemetry.port': options.metricsPort }),
        { role: options.role, untilDrained: options.untilDrained === true, quiet: options.quiet === true },
        io,
        fallback,
      ),
    );
}

function registerTopics(program: Command, io: Io): void {
  const topics = program.command('topics').description('Topics of the embedded log or the cluster.');
  withLog(withConfig(topics.command('create')))
    .description('Makes topics, and the log where there is none; without names those of the configuration.')
    .argument('[TOPIC...]')
    .option('--partitions <N>', 'partitions of each', wholeNumber)
    .option('--retention-hours <N>', 'keep records for so long (default: for ever)', wholeNumber)
    .option('--retention-bytes <N>', 'keep so much a partition (default: everything)', wholeNumber)
    .action(
      (
        names: string[],
        options: CommonOptions & { partitions?: number; retentionHours?: number; retentionBytes?: number },
      ) => {
        const config = configOf(options, io, { 'topics.partitions': options.partitions });
        const ms = options.retentionHours === undefined ? null : options.retentionHours * 3_600_000;
        const retention = { ms, bytes: options.retentionBytes ?? null };
        return createTopics(config, { names, retention }, io);
      },
    );
  withLog(withConfig(topics.command('list')))
    .description(
      'Topics with their records and the lag of each group; on Kafka in offsets, markers of transactions included.',
    )
    .addOption(new Option('--format <FORMAT>').choices(['table', 'jsonl']).default('table'))
    .action((options: CommonOptions & { format: 'table' | 'jsonl' }) =>
      listTopics(configOf(options, io), options.format, io),
    );
}

function registerProduce(program: Command, io: Io, finish: Finish): void {
  withQuiet(withLog(withConfig(program.command('produce'))))
    .description(
      'Notes as JSON Lines onto the notes topic: {noteId, patientId, noteType, authoredAt, text, deidentification, …}.',
    )
    .argument('[FILE]', "'-' is standard input", '-')
    .action(async (path: string, options: CommonOptions) =>
      finish(await produce(configOf(options, io), { path, quiet: options.quiet === true }, io)),
    );
}

function registerConsume(program: Command, io: Io): void {
  withLog(withConfig(program.command('consume')))
    .description('Any topic as JSON Lines with partition, offset and headers; moves no offset of any group.')
    .argument('<TOPIC>')
    .addOption(new Option('--from <PLACE>', 'where to begin').choices(['beginning', 'end']).default('beginning'))
    .option('--until-end', 'end at the last record that was there at the start')
    .action((topic: string, options: CommonOptions & { from: 'beginning' | 'end'; untilEnd?: boolean }) =>
      consume(configOf(options, io), { topic, from: options.from, untilEnd: options.untilEnd === true }, io),
    );
}

function registerDeadLetters(program: Command, io: Io): void {
  const group = program.command('dead-letters').description('Records that could not be processed.');
  const filtered = (command: Command): Command =>
    withLog(withConfig(command))
      .option('--code <CODE>', 'only those refused with this code')
      .option('--at <PLACE>', 'only the one at partition:offset', place);
  filtered(group.command('list'))
    .description('Where each stands, why it was refused and where it came from; never its content.')
    .action((options: CommonOptions & DeadLetterFilter) => listDeadLetters(configOf(options, io), options, io));
  filtered(group.command('replay'))
    .description('Sends them back to the topic they came from, bytes untouched; they stay here as history.')
    .action(async (options: CommonOptions & DeadLetterFilter) => {
      await replayDeadLetters(configOf(options, io), options, io);
    });
}

function registerSchemas(program: Command, io: Io, finish: Finish): void {
  const schemas = program
    .command('schemas')
    .description('Our Avro schemas in a schema registry (registry.url), under <topic>-value of the configured topics.')
    .addHelpText('after', SCHEMAS_HELP);
  withRegistry(schemas.command('check'))
    .description('Whether this version can read what is on the topics; changes nothing. Exits 5 when it cannot.')
    .action(async (options: CommonOptions & RegistryOption) =>
      finish(await checkSchemas(configOf(options, io, { 'registry.url': options.registry }), io)),
    );
  withRegistry(schemas.command('register'))
    .description(
      'Registers what is not there yet, all or none; run it before a deploy. Doing it twice changes nothing.',
    )
    .action((options: CommonOptions & RegistryOption) =>
      registerAllSchemas(configOf(options, io, { 'registry.url': options.registry }), io),
    );
}

interface RegistryOption {
  readonly registry?: string;
}

function withRegistry(command: Command): Command {
  return withConfig(command).option('--registry <URL>', 'base of the Confluent API, such as http://127.0.0.1:8081');
}

const SCHEMAS_HELP = `
check prints one line a subject:
  new           nothing is registered yet
  same          this version's schema is registered; its version and id
  compatible    it can read the latest version, and would become the next
  INCOMPATIBLE  it could not read what the latest version wrote; why, line by line
register puts each subject under the rule BACKWARD (a stricter rule stays) and prints subject, version and id.
Workers do not register by themselves unless registry.autoRegister is true.
`;

const EXIT_CODES = `
Exit codes: 0 done; 1 a fault of clinstream's own; 2 wrong option or configuration; 3 some input was refused (the rest
was processed); 4 the model does not serve; 5 the log, the broker, the schema registry, standard output or another file
refused; 6 annotating, training or evaluating failed or reached its cap, or a gate refused; 7 a teacher's key, model or host is wrong, or the fallback's own files are; 130 interrupted before it was done
(produce, run --until-drained, consume --until-end, demo --fallback, distill annotate, distill prompts, a bounded
distill shadow).

Configuration (file key, environment variable):
${configKeys()
  .map(({ key, environment }) => `  ${key.padEnd(40)} ${environment}`)
  .join('\n')}
`;
