/** What a counter or gauge says, as whoever scrapes it would add it up. */
import type { Telemetry } from '../../src/telemetry/telemetry.ts';

/** The value over all labels, or over those that hold `part`; `name` is without its prefix. */
export async function total({ registry }: Telemetry, name: string, part = ''): Promise<number> {
  const text = await registry.getSingleMetricAsString(`clinstream_${name}`);
  const lines = text.split('\n').filter(line => line.startsWith('clinstream_') && line.includes(part));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
