/** What a teacher was asked for its labels: what was chosen by some of them holds for others only where all of this is the same. */
import { z } from 'zod';
import type { Task } from '../core/span.ts';

/** As `annotate` writes it into NAME.run.json, and `select` into a selection; what older ones lack is not compared. */
export const askedSchema = z.object({
  provider: z.string().optional(),
  tasks: z.array(z.string()).default([]),
  /** A hash by task. */
  prompts: z.record(z.string(), z.string()).default({}),
  /** By task. */
  models: z.record(z.string(), z.string()).default({}),
});

export type Asked = Readonly<z.output<typeof askedSchema>>;

/** @returns undefined where labels of the task are what was selected; else why not and what to do, as the rest of a sentence about the teacher. */
export function unlikeSelected(task: Task, asked: Asked, selected: Asked | undefined): string | undefined {
  if (!asked.tasks.includes(task))
    return `was not asked about ${task}: annotate these documents for it too, into another folder`;
  const parts: readonly (readonly [string, (of: Asked) => string | undefined])[] = [
    ['provider', of => of.provider],
    ['model', of => of.models[task]],
    ["prompt (guidelines, or the teacher's settings)", of => of.prompts[task]],
  ];
  const other = parts.find(([, of]) => {
    const [now, before] = [of(asked), selected === undefined ? undefined : of(selected)];
    return now !== undefined && before !== undefined && now !== before;
  });
  if (other === undefined) return undefined;
  return `was asked about ${task} with another ${other[0]} than when it was selected: annotate both alike, and select anew`;
}
