/** What a person may choose of a training, and the trainer's words for it. */

export const PRESETS = ['notes', 'self-trained', 'paper'] as const;
export const LABELS = ['human', 'teacher', 'both'] as const;
export const ENCODERS = ['shared', 'task'] as const;
export const DEVICES = ['auto', 'cpu', 'cuda'] as const;

/** What is left out is the preset's, or the trainer's default. */
export interface TrainingChoices {
  /** `minilm`, a directory, or a model on Hugging Face's hub. */
  readonly base?: string;
  /** A finished model's folder, of the base's shape: its weights are the first. */
  readonly start?: string;
  /** Share of the start in every exported weight, in [0, 1). */
  readonly keepStart?: number;
  /** So many of the base's layers, evenly spread. */
  readonly layers?: number;
  readonly preset?: (typeof PRESETS)[number];
  /** One encoder for all tasks, or one a task. */
  readonly encoders?: (typeof ENCODERS)[number];
  readonly labels?: (typeof LABELS)[number];
  /** Share of the labelled documents, in (0, 1]. */
  readonly labelShare?: number;
  /** An entity's confidence is its label, not 1. */
  readonly softLabels?: boolean;
  /** Model folders whose mean probabilities label what nobody has labelled. */
  readonly softTeachers?: readonly string[];
  /** Files of `{id, text}`. */
  readonly unlabelled?: readonly string[];
  /** Length as a multiple of the preset's. */
  readonly stepsScale?: number;
  /** Stop early, for a smoke test. */
  readonly maxSteps?: number;
  readonly seed?: number;
  readonly device?: (typeof DEVICES)[number];
}

export function trainerArguments(choices: TrainingChoices): string[] {
  const { softLabels, softTeachers = [], unlabelled = [], ...valued } = choices;
  const dashed = (name: string): string => `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`;
  return [
    ...Object.entries(valued).flatMap(([name, value]) => (value === undefined ? [] : [dashed(name), String(value)])),
    ...(softLabels === true ? ['--soft-labels'] : []),
    ...(softTeachers.length === 0 ? [] : ['--soft-teachers', ...softTeachers]),
    ...(unlabelled.length === 0 ? [] : ['--unlabelled', ...unlabelled]),
  ];
}
