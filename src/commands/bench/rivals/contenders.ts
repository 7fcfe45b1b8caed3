/** Who takes turns in `bench rivals`, and how each is started. */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../../../config.ts';
import type { Note } from '../../../core/note.ts';
import type { Io } from '../../io.ts';
import { onKafka } from '../place.ts';
import { withoutSecrets } from '../without-secrets.ts';
import { javascriptRival, type Preparation, pythonRivals, RIVALS } from './environment.ts';
import { runScript, type Turn } from './script.ts';

export const RIVAL_NAMES = [
  'transformers-pipeline',
  'onnxruntime-loop',
  'onnxruntime-batched',
  'transformers-js',
] as const;
export type RivalName = (typeof RIVAL_NAMES)[number];

export interface Contender {
  readonly name: string;
  /** In a sentence, for the file of results. */
  readonly what: string;
  /** Which contender its speed is compared with; undefined for clinstream itself. */
  readonly against?: string;
  readonly turn: () => Promise<Turn>;
}

export interface Field {
  readonly contenders: readonly Contender[];
  /** Of the PyTorch checkpoint's logits with the graph's. */
  readonly parity: Readonly<Record<string, unknown>>;
}

interface FieldOptions {
  readonly config: Config;
  readonly rivals: readonly RivalName[];
  readonly notes: readonly Note[];
  /** The same notes as JSON Lines of {id, text}. */
  readonly file: string;
  /** Threads that work on the model: the rivals' operators share them, clinstream has as many sessions. */
  readonly threads: number;
  readonly interrupted: AbortSignal;
}

const KAFKA = 'clinstream-kafka';
const OWN_TURN = join(import.meta.dirname, 'own-turn.ts');

/** Makes what is missing first. @throws DistillError PYTHON_MISSING; RivalError NPM_MISSING and their like */
export async function openField(options: FieldOptions, preparation: Preparation, io: Io): Promise<Field> {
  const { config, rivals, notes, file, threads, interrupted } = options;
  const { python, checkpoint, parity } = await pythonRivals(preparation);
  const common = ['--notes', file, '--model', preparation.model.directory, '--threads', String(threads)];
  const inPython = (script: string, args: readonly string[] = []) => ({
    against: 'clinstream',
    turn: () => runScript(python, [join(RIVALS, script), ...common, ...args], interrupted),
  });
  const onBroker = config.transport === 'kafka' && rivals.includes('transformers-js');
  const own = (transport: Config['transport']) => {
    const given = `${file}.${transport}.json`;
    writeFileSync(given, JSON.stringify({ config: withoutSecrets({ ...config, transport }), notes }), { mode: 0o600 });
    // its log lies beside the notes, and goes when they do, however the process ends
    return () => runScript(process.execPath, [OWN_TURN, given], interrupted, { TMPDIR: dirname(file) });
  };
  const byName: Record<RivalName, () => Promise<Contender>> = {
    'transformers-pipeline': async () => ({
      name: 'transformers-pipeline',
      what: 'Python, transformers pipeline, PyTorch in float32, a note at a time',
      ...inPython('transformers_pipeline.py', ['--checkpoint', checkpoint]),
    }),
    'onnxruntime-loop': async () => ({
      name: 'onnxruntime-loop',
      what: 'Python, onnxruntime, the same int8 graph, a note at a time, window after window',
      ...inPython('onnxruntime_loop.py'),
    }),
    'onnxruntime-batched': async () => ({
      name: 'onnxruntime-batched',
      what: 'Python, onnxruntime, the same int8 graph, 8 notes at a time in order of arrival, 8 of their windows a call, padded',
      ...inPython('onnxruntime_batched.py'),
    }),
    'transformers-js': async () => {
      const folder = await javascriptRival(preparation);
      const args = [join(folder, 'transformers-js.mjs'), ...common, '--checkpoint', checkpoint];
      const run = (more: readonly string[]) => runScript(process.execPath, [...args, ...more], interrupted);
      return onBroker
        ? {
            name: 'transformers-js-kafka',
            what: 'Node, transformers.js, the same int8 graph, a plain kafkajs consumer: eachMessage, JSON, at least once',
            against: KAFKA,
            turn: () => consume(config, notes, io, run),
          }
        : {
            name: 'transformers-js',
            what: 'Node, transformers.js, the same int8 graph, a note at a time; a loop over a file, since no broker was named',
            against: 'clinstream',
            turn: () => run([]),
          };
    },
  };
  const contenders: Contender[] = [
    {
      name: 'clinstream',
      what: 'the whole pipeline on the embedded log, from the first fetch to the last commit, exactly once',
      turn: own('embedded'),
    },
  ];
  if (onBroker)
    contenders.push({
      name: KAFKA,
      what: 'the whole pipeline on Kafka, Avro with a registry, exactly once',
      turn: own('kafka'),
    });
  for (const name of rivals) contenders.push(await byName[name]());
  return { contenders, parity };
}

/** The notes as JSON on topics of the rival's own. */
function consume(
  config: Config,
  notes: readonly Note[],
  io: Io,
  run: (args: readonly string[]) => Promise<Turn>,
): Promise<Turn> {
  return onKafka(config, io, async ({ config: { topics, kafka }, transport }) => {
    const records = notes.map(({ noteId, patientId, text }) => ({
      topic: topics.notes,
      key: Buffer.from(patientId),
      value: Buffer.from(JSON.stringify({ id: noteId, text })),
      headers: {},
    }));
    for (let i = 0; i < records.length; i += 200) await transport.append(records.slice(i, i + 200));
    const place = ['--kafka', kafka.brokers.join(','), '--topic', topics.notes, '--out', topics.entities];
    return run([...place, '--count', String(notes.length)]);
  });
}
