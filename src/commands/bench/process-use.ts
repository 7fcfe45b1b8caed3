/** What a process uses, as Linux counts it; NaN elsewhere, and after its end. */
import { readFileSync } from 'node:fs';

/** By all its threads so far: fields 14 and 15 of proc(5)'s stat, counted after the name in brackets, in Linux's hundredths of a second. */
export function cpuSecondsOf(pid: number | undefined): number {
  const fields = of(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export function residentBytesOf(pid: number | undefined): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(of(pid, 'status'))?.[1]) * 1024;
}

/** The most resident bytes that it has had so far. */
export function peakBytesOf(pid: number | undefined): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(of(pid, 'status'))?.[1]) * 1024;
}

function of(pid: number | undefined, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
