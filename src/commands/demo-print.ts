/** The demo's last words: an excerpt with its mentions, counts, speed, and where to look further. */
import type { Task } from '../core/span.ts';
import { type DemoNote, type DemoResult, partsOf } from './demo-report.ts';
import { hasColour, type Io } from './io.ts';
import { legend, renderTerminal } from './render/terminal.ts';

const EXCERPT_LINES = 14;
const EXCERPT_POINTS = 1200;

export function printReport(
  result: DemoResult,
  about: { model: string; tasks: readonly Task[]; page: string; log: string; io: Io },
): string {
  const { notes, refused, latencies } = result;
  const colour = hasColour(about.io);
  const counts = about.tasks.map(task => {
    const mentions = notes.flatMap(({ event }) =>
      event.entities.filter(entity => entity.task === task).map(entity => entity.text.toLowerCase()),
    );
    return `${task} ${mentions.length} (${new Set(mentions).size} distinct)`;
  });
  const refusals = [...refused].map(([reason, count]) => `${count} × ${reason}`);
  const total = [...refused.values()].reduce((sum, count) => sum + count, 0);
  return [
    '',
    excerpt(notes, about.tasks, colour),
    legend(about.tasks, colour),
    '',
    `notes        ${notes.length + total} in, ${notes.length} tagged, ${total} refused${refusals.length > 0 ? ` (${refusals.join(', ')})` : ''}`,
    `mentions     ${counts.join(', ')}`,
    `throughput   ${result.notesPerSecond.toFixed(1)} notes/s, ${Math.round(result.tokensPerSecond)} tokens/s (${about.model})`,
    `latency      p50 ${percentile(latencies, 0.5)} ms, p95 ${percentile(latencies, 0.95)} ms, of ${latencies.length} notes that arrived one by one`,
    `page         ${about.page}`,
    ...(about.log === '' ? [] : [`log          ${about.log}`]),
    '',
  ].join('\n');
}

/** The first lines of the note that has most mentions of every task in them. */
function excerpt(notes: readonly DemoNote[], tasks: readonly Task[], colour: boolean): string {
  const best = notes.reduce<DemoNote | undefined>(
    (most, each) => (most === undefined || richness(each) > richness(most) ? each : most),
    undefined,
  );
  if (best === undefined) return '';
  const text = renderTerminal(partsOf(best), tasks, colour);
  const lines = text.split('\n').filter(line => line.trim() !== '');
  return [`── ${best.note.noteId} ──`, ...lines.slice(0, EXCERPT_LINES), '…'].join('\n');
}

function richness({ event }: DemoNote): number {
  const early = event.entities.filter(entity => entity.end < EXCERPT_POINTS);
  return Math.min(...event.tasks.map(({ task }) => early.filter(entity => entity.task === task).length));
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
