/** What is read back of metrics.json beside a manifest: whose figures these are, and how far int8 is from what was trained. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { VerifiedModel } from '../model/manifest.ts';
import { DistillError } from './distill-error.ts';
import { paritySchema } from './export-report.ts';
import { readJson } from './json-file.ts';

export const METRICS_FILE = 'metrics.json';

type Measured = Pick<VerifiedModel, 'directory' | 'identity'>;

const ownerSchema = z.object({ model: z.object({ sha256: z.string() }) });
/** Kept as the export wrote it. */
const measuredSchema = z.object({ parity: paritySchema.loose() });

/** @returns undefined where it was not measured, or these are another model's figures: only whoever trained can measure it. */
export function parityOf(model: Measured): z.output<typeof measuredSchema>['parity'] | undefined {
  const metrics = readJson(join(model.directory, METRICS_FILE));
  if (ownerSchema.safeParse(metrics).data?.model.sha256 !== model.identity.sha256) return undefined;
  return measuredSchema.safeParse(metrics).data?.parity;
}

/** @throws DistillError METRICS_INVALID for figures that are not this model's. */
export function checkMetrics(model: Measured): void {
  const path = join(model.directory, METRICS_FILE);
  if (!existsSync(path)) return;
  const of = ownerSchema.safeParse(readJson(path)).data?.model.sha256;
  if (of === model.identity.sha256) return;
  const whose = of === undefined ? 'a model that it does not name' : of.slice(0, 12);
  const why = `holds figures of ${whose}, and this is ${model.identity.sha256.slice(0, 12)}`;
  const remedy = "measure it with 'clinstream distill evaluate --corpus CORPUS --model MODEL'";
  throw new DistillError('METRICS_INVALID', `${path} ${why}: ${remedy}`);
}
