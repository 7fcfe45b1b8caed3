/** Finished models that a training learnt from, by their weights or by what they say. What they had learnt from, no record of it holds. */
import { z } from 'zod';

const model = z.object({ name: z.string(), version: z.string() });

/** As the trainer's record names them. */
export const earlierSchema = z.object({
  softTeachers: z.array(model).default([]),
  /** As runs said it when there could be only one. */
  softTeacher: model.nullish(),
  /** The finished model whose weights were the first. */
  start: model.nullish(),
  /** Share of the start in every exported weight. */
  keptStart: z.number().default(0),
});

export type EarlierModel = z.output<typeof model> & {
  readonly as: 'start' | 'soft teacher';
  /** Share of its weights in those that were exported. */
  readonly kept?: number;
};

export function softTeachersOf(run: z.output<typeof earlierSchema>): z.output<typeof model>[] {
  return [...run.softTeachers, ...(run.softTeacher == null ? [] : [run.softTeacher])];
}

/** The start first. */
export function earlierModels(run: z.output<typeof earlierSchema>): EarlierModel[] {
  const { start, keptStart } = run;
  return [
    ...(start == null ? [] : [{ ...start, as: 'start' as const, ...(keptStart === 0 ? {} : { kept: keptStart }) }]),
    ...softTeachersOf(run).map(each => ({ ...each, as: 'soft teacher' as const })),
  ];
}
