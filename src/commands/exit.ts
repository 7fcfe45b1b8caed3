/** Exit codes, the same for every command, and what a person reads when one fails. */
import { ClinstreamError, type Stage } from '../core/errors.ts';

export const EXIT = {
  ok: 0,
  /** A fault of clinstream's own. */
  internal: 1,
  /** A wrong option, command or configuration. */
  usage: 2,
  /** Some or all of the input was refused; the rest was processed. */
  input: 3,
  /** The model is missing, changed, or fails its own check. */
  model: 4,
  /** The log, the broker, the schema registry, standard output or another file: busy group, unknown topic, disk, incompatible schema. */
  stream: 5,
  /** Training or evaluation failed. */
  distill: 6,
  /** A teacher's credentials, model or host are wrong, or the fallback's own files are. */
  teacher: 7,
  /** By a signal, before the work was done; it can be taken up again. */
  interrupted: 130,
} as const;

const BY_STAGE: Readonly<Record<Stage, number>> = {
  config: EXIT.usage,
  input: EXIT.input,
  output: EXIT.stream,
  decode: EXIT.input,
  privacy: EXIT.input,
  model: EXIT.model,
  tagging: EXIT.model,
  stream: EXIT.stream,
  registry: EXIT.stream,
  teacher: EXIT.teacher,
  escalation: EXIT.teacher,
  distill: EXIT.distill,
};

export function exitCode(error: unknown): number {
  if (error instanceof ClinstreamError) return BY_STAGE[error.stage];
  return fileFault(error) === undefined ? EXIT.internal : EXIT.stream;
}

/** What the operating system refused of a file or folder; undefined for any other error. Its path is one that the user gave or owns. */
function fileFault(error: unknown): string | undefined {
  const { code, syscall, path } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined || path === undefined) return undefined;
  return `${syscall} ${path}: ${code}; check that it is there, and that this user may use it`;
}

/** One line for a known failure; the stack only for a fault of our own. Messages hold no note text by contract. */
export function explain(error: unknown): string {
  if (error instanceof ClinstreamError) return `clinstream: ${error.message} [${error.code}]`;
  const fault = fileFault(error);
  if (fault !== undefined) return `clinstream: ${fault} [FILE_FAILED]`;
  return `clinstream: unexpected failure, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
