/** What is read back of metrics.json beside a manifest: whose figures these are, and how far int8 is from what was trained. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { VerifiedModel } from '../model/manifest.ts';
import { DistillError } from './distill-error.ts';
import { paritySchema } from './export-report.ts';

export const METRICS_FILE = 'metrics.json';

type Measured = Pick<VerifiedModel, 'directory' | 'identity'>;

const ownerSchema = z.object({ model: z.object({ sha256: z.string() }) });
/** Kept as the export wrote it. */
const measuredSchema = z.object({ parity: paritySchema.loose() });

/** @returns undefined where it was not measured, or these are another model's figures: only whoever trained can measure it. */
export function parityOf(model: Measured): z.output<typeof measuredSchema>['parity'] | undefined {
  const metrics = read(model);
  if (ownerSchema.safeParse(metrics).data?.model.sha256 !== model.identity.sha256) return undefined;
  return measuredSchema.safeParse(metrics).data?.parity;
}

/** @throws DistillError METRICS_INVALID for figures that are not this model's. */
export function checkMetrics(model: Measured): void {
  if (!existsSync(join(model.directory, METRICS_FILE))) return;
  const of = ownerSchema.safeParse(read(model)).data?.model.sha256;
  if (of === model.identity.sha256) return;
  const whose = of === undefined ? 'a model that it does not name' : of.slice(0, 12);
  const why = `holds figures of ${whose}, and this is ${model.identity.sha256.slice(0, 12)}`;
  const remedy = "measure it with 'clinstream distill evaluate --corpus CORPUS --model MODEL'";
  throw new DistillError('METRICS_INVALID', `${join(model.directory, METRICS_FILE)} ${why}: ${remedy}`);
}

/** @returns undefined where there is none that can be read. */
function read({ directory }: Measured): unknown {
  try {
    return JSON.parse(readFileSync(join(directory, METRICS_FILE), 'utf8'));
  } catch {
    return undefined;
  }
}
