/**
 * Emulated OpenAI, Gemini and BioPortal as a program of their own, for the demonstration: prints one line of JSON when all listen, and stops
 * on SIGTERM or when its standard input ends, so that it never outlives whoever started it. All it answers is simulated.
 *
 *   node test/emulators/main.ts --notes NOTES.jsonl --labels LABELS.jsonl [--openai-port N] [--gemini-port N] [--bioportal-port N] [--faults PLAN.json]
 *     [--openai-key KEY] [--gemini-key KEY] [--bioportal-key KEY] [--models A,B] [--drop P] [--invent P] [--alter P] [--seed N] [--latency-ms MS]
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { bioportalEmulator } from './bioportal.ts';
import type { FaultPlan } from './faults.ts';
import { geminiEmulator } from './gemini.ts';
import { Gold, readGold } from './gold.ts';
import { openAiEmulator } from './openai.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    notes: text,
    labels: text,
    'openai-port': text,
    'gemini-port': text,
    'bioportal-port': text,
    'openai-key': { ...text, default: 'simulated' },
    'gemini-key': { ...text, default: 'simulated' },
    'bioportal-key': { ...text, default: 'simulated' },
    models: {
      ...text,
      default: 'gpt-4o-mini-2024-07-18,gpt-4o-2024-08-06,o1-mini-2024-09-12,gemini-1.5-flash-002,gemini-2.5-flash',
    },
    faults: text,
    drop: { ...text, default: '0' },
    invent: { ...text, default: '0' },
    alter: { ...text, default: '0' },
    seed: { ...text, default: '1' },
    'latency-ms': { ...text, default: '0' },
  },
});
if (values.notes === undefined || values.labels === undefined) throw new Error('--notes and --labels are needed');

const noise = {
  drop: Number(values.drop),
  invent: Number(values.invent),
  alter: Number(values.alter),
  seed: Number(values.seed),
};
const faults: FaultPlan = values.faults === undefined ? {} : JSON.parse(readFileSync(values.faults, 'utf8'));
const common = {
  gold: new Gold(readGold({ notes: values.notes, labels: values.labels }), noise),
  faults,
  models: values.models.split(','),
  latencyMs: Number(values['latency-ms']),
};
const openai = await openAiEmulator({
  ...common,
  apiKey: values['openai-key'],
  port: Number(values['openai-port'] ?? 0),
});
const gemini = await geminiEmulator({
  ...common,
  apiKey: values['gemini-key'],
  port: Number(values['gemini-port'] ?? 0),
});
const bioportal = await bioportalEmulator({
  faults,
  latencyMs: common.latencyMs,
  apiKey: values['bioportal-key'],
  port: Number(values['bioportal-port'] ?? 0),
});

const stop = async () => {
  await Promise.all([openai.stop(), gemini.stop(), bioportal.stop()]);
  process.exit(0);
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
process.stdin.resume().once('end', stop);

const line = {
  simulated: true,
  openaiUrl: `${openai.url}/v1`,
  geminiUrl: gemini.url,
  bioportalUrl: bioportal.url,
  openaiControl: openai.url,
  geminiControl: gemini.url,
  bioportalControl: bioportal.url,
};
process.stdout.write(`${JSON.stringify(line)}\n`);
