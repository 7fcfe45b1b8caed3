/** Energy and use of the first GPU, where the machine counts them and lets us read. */
import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** Intel's and AMD's running average power limit: one counter a processor, in microjoules; usually for root alone, and seldom in a guest. */
const POWERCAP = '/sys/class/powercap/intel-rapl:[0-9]*/energy_uj';

/** Joules that all processors have used since some moment; null where that is not told. Wraps within minutes on large machines. */
export function joules(): number | null {
  const counters = globSync(POWERCAP).filter(file => /rapl:\d+\/energy_uj$/.test(file));
  try {
    const each = counters.map(file => Number(readFileSync(file, 'utf8')) / 1e6);
    return each.length === 0 ? null : each.reduce((sum, value) => sum + value, 0);
  } catch {
    return null;
  }
}

const run = promisify(execFile);

/** Asked once: to ask a machine without a GPU costs a process each time. */
let absent = false;

/** In [0, 1]; null without an NVIDIA card or its driver. */
export async function gpuUse(): Promise<number | null> {
  if (absent) return null;
  try {
    const asked = ['--query-gpu=utilization.gpu', '--format=csv,noheader,nounits', '--id=0'];
    const use = Number((await run('nvidia-smi', asked)).stdout);
    return Number.isFinite(use) ? use / 100 : null;
  } catch {
    absent = true;
    return null;
  }
}
