/**
 * `route explain`: which tasks of a note would go to a teacher, and why. It shows words of the note, as `tag` does, to whoever asked on
 * standard output; nothing is sent anywhere.
 */
import type { Task } from '../core/span.ts';
import { loadRouting, type Routing } from '../model/routing.ts';
import { Router, type TaskRule, type Verdict } from '../tagging/router.ts';
import { CodePointIndex } from '../text/code-points.ts';
import { decodeEntities } from '../text/decode.ts';
import { type DoubtfulSpan, doubtfulSpans } from '../text/doubtful-spans.ts';
import { EXIT, explain } from './exit.ts';
import { type Io, report, write } from './io.ts';
import { printable } from './render/terminal.ts';
import type { Serving } from './serve-model.ts';
import { type InputFormat, readTagNotes, type TagNote } from './tag-input.ts';

export interface ExplainOptions {
  readonly paths: readonly string[];
  readonly input: InputFormat;
  readonly rules: Readonly<Record<Task, TaskRule>>;
  readonly json: boolean;
  /** Spans shown a task. */
  readonly spans: number;
}

/** Why one task of a note would escalate, or not. */
interface TaskExplanation extends Verdict {
  /** Smallest measured rate at which it would escalate; null where it would at none. */
  readonly fromRate: number | null;
  readonly words: number;
  /** Words expected to be wrong. */
  readonly expectedErrors: number;
  readonly confidence: number;
  /** Where the expected errors come from, the largest share first. */
  readonly spans: readonly DoubtfulSpan[];
}

/** @returns the exit code: EXIT.input when any row was refused. @throws RouterError, ModelError */
export async function explainRoute(serving: Serving, options: ExplainOptions, io: Io): Promise<number> {
  const routing = loadRouting(serving.model);
  const router = new Router({ routing, rules: options.rules });
  let code: number = EXIT.ok;
  for await (const note of readTagNotes(options.paths, options.input, io.stdin)) {
    if ('error' in note) {
      code = EXIT.input;
      await report(io, explain(note.error));
      if (!options.json) continue;
      const { code: refusal, message } = note.error;
      await write(io.stdout, `${JSON.stringify({ id: note.id, error: { code: refusal, message } })}\n`);
      continue;
    }
    const tasks = await explainNote(serving, { router, routing, spans: options.spans }, note);
    await write(io.stdout, options.json ? jsonRow(note, tasks) : prettyNote(note, tasks));
  }
  return code;
}

async function explainNote(
  { tagger }: Serving,
  by: { readonly router: Router; readonly routing: Routing | null; readonly spans: number },
  { text }: TagNote,
): Promise<readonly TaskExplanation[]> {
  const { words } = await tagger.read(text);
  const index = new CodePointIndex(text);
  const decoded = decodeEntities(index, words, tagger.heads);
  return by.router.judge(decoded).map(verdict => {
    const h = tagger.tasks.indexOf(verdict.task);
    const decision = decoded.tasks[h] as (typeof decoded.tasks)[number];
    const { wrong, missed } = decision.evidence;
    const rates = by.routing?.tasks[verdict.task]?.rates ?? [];
    return {
      ...verdict,
      fromRate: rates.find(each => verdict.value > each.threshold)?.rate ?? null,
      words: words.count,
      expectedErrors: wrong + missed,
      confidence: decision.confidence,
      spans: doubtfulSpans(index, words, tagger.heads, h).slice(0, by.spans),
    };
  });
}

function jsonRow({ id }: TagNote, explained: readonly TaskExplanation[]): string {
  const tasks = Object.fromEntries(explained.map(({ task, ...rest }) => [task, rest]));
  return `${JSON.stringify({ id, tasks })}\n`;
}

function prettyNote({ id }: TagNote, tasks: readonly TaskExplanation[]): string {
  return `── ${id} ──\n${tasks.map(prettyTask).join('')}\n`;
}

function prettyTask(each: TaskExplanation): string {
  const to = each.teachers.length === 0 ? '' : ` to ${each.teachers.join(', then ')}`;
  const decision = each.escalates ? `escalates${to}` : 'stays';
  const limit = each.threshold === null ? 'no rule' : `threshold ${each.threshold.toFixed(3)}`;
  const from =
    each.fromRate === null ? 'at no measured rate' : `at rates from ${Number((100 * each.fromRate).toFixed(1))} %`;
  return [
    `${each.task} ${decision}: ${each.score} ${each.value.toFixed(3)}, ${limit}; would escalate ${from}`,
    `  ${each.expectedErrors.toFixed(2)} of ${each.words} words expected wrong, expected F1 ${each.confidence.toFixed(3)}`,
    ...each.spans.map(
      span =>
        `  ${span.expectedErrors.toFixed(2)}  ${span.decided.padEnd(6)} ${(100 * span.probability).toFixed(0).padStart(3)} %  ` +
        `[${span.start}, ${span.end})  ${printable(span.text).replace(/\s+/g, ' ')}`,
    ),
    '',
  ].join('\n');
}
