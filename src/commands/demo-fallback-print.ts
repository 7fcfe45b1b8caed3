/** The last words of the fallback's demo: counts that add up, and what of them is simulated. */
import type { FallbackFiles, FallbackResult } from './demo-fallback-report.ts';
import { MODEL } from './demo-fallback-settings.ts';

export function printFallback(
  { notes, escalations, revisions, decidedBy, reviews, requests }: FallbackResult,
  about: { files: FallbackFiles; data: string },
): string {
  const { escalated, revised, reviewed, deadLettered, inFlight } = escalations;
  const { asked } = requests;
  const sent = total(requests.byOutcome);
  const refused = total(notes.refused);
  return [
    '',
    'No provider was asked: answers, token counts and dollars are those of an emulator on this machine (simulated).',
    '',
    `notes        ${notes.in} in, ${notes.tagged} tagged (${notes.final} FINAL, ${notes.provisional} PROVISIONAL), ${refused} refused${refused > 0 ? ` (${list(notes.refused)})` : ''}`,
    `escalated    ${escalated} = ${revised} revised + ${reviewed} reviewed + ${deadLettered} dead-lettered + ${inFlight} in flight`,
    `revisions    ${revisions.final} FINAL, ${revisions.provisional} PROVISIONAL beside a review; tasks decided: ${list(decidedBy) || 'none'}`,
    `reviews      ${list(reviews) || 'none'}`,
    `requests     ${sent} to ${requests.hosts.join(', ') || 'nobody'} (simulated): ${list(requests.byOutcome) || 'none'}`,
    `paid twice   ${asked.billedTwice} of them, by the emulator's own count of ${asked.requests} (simulated)`,
    `dollars      $${requests.usd.toFixed(4)} (simulated: the emulator's ${asked.inputTokens} + ${asked.outputTokens} tokens at the list price of ${MODEL})`,
    `             $${requests.usdEstimated.toFixed(4)} more (simulated) is counted for requests without an answer: an estimate of their input`,
    `page         ${about.files.page}`,
    `counts       ${about.files.summary}`,
    `log          ${about.data} (try: npm run -s clinstream -- consume clinical.review --until-end --data ${about.data})`,
    '',
    'Nothing here measures quality: most of these notes were in the training data of the tagger, and the emulator answers',
    'from the very labels that it learnt from.',
    '',
  ].join('\n');
}

function list(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} × ${name}`)
    .join(', ');
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
