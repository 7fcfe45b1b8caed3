/** The commands that touch no stream: models and routes. */
import { type Command, Option } from 'commander';
import { unobserved } from '../core/facts.ts';
import type { Io } from './io.ts';
import { listAllModels, verifyModel } from './models.ts';
import { type CommonOptions, configOf, share, wholeNumber, withConfig, withModel, withModelOnCpu } from './options.ts';
import { explainRoute } from './route.ts';
import { serveModel } from './serve-model.ts';
import type { InputFormat } from './tag-input.ts';

export function registerModels(program: Command, io: Io): void {
  const models = program.command('models').description('Models that come with this installation.');
  withModelOnCpu(withConfig(models.command('list')))
    .description('Name, version, manifest hash and tasks.')
    .action((options: CommonOptions) => listAllModels(configOf(options, io), io));
  withModel(withConfig(models.command('verify')))
    .description("Every file's hash, and the model's own check on this machine.")
    .action((options: CommonOptions) => verifyModel(configOf(options, io), io));
}

export function registerRoute(program: Command, io: Io, finish: (exitCode: number) => void): void {
  const route = program.command('route').description('Which tasks of which notes the tagger is unsure of.');
  withModel(withConfig(route.command('explain')))
    .description('For each task of a note: its doubt, the threshold, and the words that the doubt comes from.')
    .argument('[NOTE...]', "notes: plain text, or JSON Lines {id, text} in *.jsonl; '-' is standard input", ['-'])
    .option(
      '--rate <SHARE>',
      'escalate so large a share of notes for each task, 0 for none (default: by escalation.tasks; 0.1 where there are none)',
      share,
    )
    .option('--spans <N>', 'places shown a task', wholeNumber, 5)
    .option('--json', 'one JSON row a note')
    .addOption(new Option('--input <FORMAT>', 'what the files hold').choices(['auto', 'text', 'jsonl']).default('auto'))
    .action(async (paths: string[], options: CommonOptions & ExplainFlags) => {
      const config = configOf(options, io);
      const serving = await serveModel(config, unobserved);
      try {
        const configured = config.escalation.tasks;
        const byConfiguration = options.rate === undefined && Object.keys(configured).length > 0;
        const rate = options.rate ?? 0.1;
        const rules = byConfiguration
          ? configured
          : Object.fromEntries(serving.tasks.map(task => [task, { rate, teachers: [] }]));
        const { spans, input } = options;
        finish(await explainRoute(serving, { paths, input, rules, spans, json: options.json === true }, io));
      } finally {
        await serving.stop();
      }
    });
}

interface ExplainFlags {
  readonly rate?: number;
  readonly spans: number;
  readonly json?: boolean;
  readonly input: InputFormat;
}
