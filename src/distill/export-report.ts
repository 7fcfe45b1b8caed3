/** export.json of the trainer: which graphs of an export belong together, how far each is from the trained model, and how fast. */
import { z } from 'zod';
import { DistillError } from './distill-error.ts';

const share = z.number().min(0).max(1);

export const paritySchema = z.object({
  windows: z.number(),
  pieces: z.number(),
  meanAbsoluteLogitDifference: z.number(),
  maxAbsoluteLogitDifference: z.number(),
  decisionAgreement: z.record(z.string(), share),
});

const reportSchema = z.object({
  /** Version that timed them, threads of a session, and rounds in which all took turns. */
  onnxruntime: z.string(),
  threads: z.number(),
  rounds: z.number(),
  graphs: z.partialRecord(
    z.enum(['fp32', 'fp16', 'int8']),
    z.object({
      file: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/),
      bytes: z.number(),
      sha256: z.string(),
      parity: paritySchema,
      /** On the CPU of the machine that exported; the ratio is of the same rounds. */
      speed: z.object({ tokensPerSecond: z.number(), ratioToFp32: z.number() }),
    }),
  ),
});

export type ExportReport = z.output<typeof reportSchema>;

/** @throws DistillError EXPORT_INVALID naming the key. */
export function parseExport(text: string, path: string): ExportReport {
  const invalid = (what: string): DistillError => new DistillError('EXPORT_INVALID', `${path}: ${what}: export anew`);
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    throw invalid('not JSON');
  }
  const parsed = reportSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw invalid(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
}
