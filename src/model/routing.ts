/**
 * From which doubt on a task escalates, for a set of escalation rates: `routing.json` beside the manifest, measured on dev notes. It is no
 * part of the model's identity, since it changes no answer; it names the model it was measured with, and serves no other.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { VerifiedModel } from './manifest.ts';
import { ModelError } from './model-error.ts';
import { readModelFile } from './read-file.ts';

const routingSchema = z.strictObject({
  format: z.literal(1),
  model: z.strictObject({ name: z.string(), version: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  tasks: z.record(
    z.string().min(1),
    z.strictObject({
      /** Name of the doubt score that the thresholds are values of. */
      score: z.string().min(1),
      /** By rising rate: the share of dev notes whose doubt is above the threshold. */
      rates: z
        .array(z.strictObject({ rate: z.number().gt(0).lt(1), threshold: z.number() }))
        .min(1)
        .refine(
          rates =>
            rates.every(({ rate, threshold }, i) => {
              const before = rates[i - 1];
              return before === undefined || (rate > before.rate && threshold <= before.threshold);
            }),
          'rates must rise and thresholds fall',
        ),
    }),
  ),
  /** Where the thresholds come from: data with hashes, which notes were left out, commit, command. */
  measured: z.record(z.string(), z.unknown()),
});

export type Routing = z.output<typeof routingSchema>;
export type TaskRouting = Routing['tasks'][string];

export const ROUTING_FILE = 'routing.json';

/**
 * @returns null for a model without the file: such a model has no doubt to speak of.
 * @throws ModelError ROUTING_INVALID, ROUTING_OF_ANOTHER_MODEL, MODEL_UNREADABLE
 */
export function loadRouting({ directory, identity }: Pick<VerifiedModel, 'directory' | 'identity'>): Routing | null {
  const path = join(directory, ROUTING_FILE);
  if (!existsSync(path)) return null;
  const routing = parseRouting(readModelFile(path).toString('utf8'), path);
  if (routing.model.sha256 !== identity.sha256) {
    throw new ModelError(
      'ROUTING_OF_ANOTHER_MODEL',
      `${path} was measured with ${routing.model.name} ${routing.model.version} (${routing.model.sha256.slice(0, 12)}), and this is ` +
        `${identity.sha256.slice(0, 12)}: its thresholds mean nothing here; measure them with 'clinstream distill doubt --corpus CORPUS --model MODEL --write'`,
    );
  }
  return routing;
}

/** @throws ModelError ROUTING_INVALID naming the key. */
export function parseRouting(text: string, path: string): Routing {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    throw new ModelError('ROUTING_INVALID', `${path}: not JSON`);
  }
  const parsed = routingSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ModelError('ROUTING_INVALID', `${path}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
}
