/** Notes, and teachers of both language models' providers on emulators of their own. */
import { after } from 'node:test';
import type { Note } from '../../src/core/note.ts';
import { createTeacher, type LlmTeacherConfig } from '../../src/teachers/create-teacher.ts';
import type { Teacher } from '../../src/teachers/teacher.ts';
import { type GatedNote, gate } from '../../src/text/privacy-gate.ts';
import type { FaultPlan } from '../emulators/faults.ts';
import { geminiEmulator } from '../emulators/gemini.ts';
import { Gold, type GoldNote } from '../emulators/gold.ts';
import { openAiEmulator } from '../emulators/openai.ts';
import type { Emulator } from '../emulators/serve.ts';

/** Secrets and words that no error, log line or message may ever show. */
export const KEY = 'sk-canary-4711-never-to-be-seen';
export const CANARY = 'zanamivirofobia';

export const TEXT = `Takes lisinopril and ASA daily.\nDenies chest pain; ${CANARY} since May.\nHistory of gout.`;

export const GOLD: readonly GoldNote[] = [
  { text: TEXT, quotes: { medication: ['lisinopril', 'ASA'], disease: ['gout'], symptom: ['chest pain', CANARY] } },
];

export function gated(text: string): GatedNote {
  const note: Note = {
    noteId: 'n-1',
    noteVersion: 1,
    patientId: 'p-1',
    encounterId: null,
    noteType: 'Visit note',
    authoredAt: 0,
    specialty: null,
    source: 'test',
    text,
    deidentification: { method: 'made up', version: '1' },
  };
  return gate(note);
}

const running = new Set<Emulator>();

// a failed test leaves its emulator behind, and an open server would keep the process from ever ending
after(() => Promise.all([...running].map(emulator => emulator.stop())));

export async function tidied(starting: Promise<Emulator>): Promise<Emulator> {
  const emulator = await starting;
  running.add(emulator);
  return emulator;
}

export type ProviderName = 'openai' | 'gemini';

export const MODELS = [
  'gpt-4o-mini-2024-07-18',
  'gpt-4o-2024-08-06',
  'o1-mini-2024-09-12',
  'gpt-4.1-mini-2025-04-14',
  'gpt-5-mini',
  'gemini-1.5-flash-002',
  'gemini-2.5-flash',
] as const;

export interface Stage {
  readonly emulator: Emulator;
  readonly config: LlmTeacherConfig;
  readonly egressAllow: readonly string[];
  readonly teacher: Teacher;
}

export interface StageOptions {
  readonly faults?: FaultPlan;
  readonly gold?: readonly GoldNote[];
  readonly config?: Partial<LlmTeacherConfig>;
  readonly now?: () => number;
}

export async function stageOf(provider: ProviderName, options: StageOptions = {}): Promise<Stage> {
  const { faults = {}, gold = GOLD, config: given = {}, now = Date.now } = options;
  const common = { gold: new Gold(gold), faults, apiKey: KEY, models: MODELS, now };
  const emulator = await tidied(provider === 'openai' ? openAiEmulator(common) : geminiEmulator(common));
  const config: LlmTeacherConfig = {
    name: 'first',
    kind: provider,
    model: provider === 'openai' ? 'gpt-4o-mini-2024-07-18' : 'gemini-1.5-flash-002',
    baseUrl: provider === 'openai' ? `${emulator.url}/v1` : emulator.url,
    apiKey: KEY,
    ...given,
  };
  const egressAllow = [new URL(emulator.url).host];
  return { emulator, config, egressAllow, teacher: await createTeacher({ config, egressAllow, now }) };
}
