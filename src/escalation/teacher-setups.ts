/**
 * Which teachers are given up because their setup is wrong. One that has answered before is well set up as far as anybody knows, and
 * a refusal may be due to what was asked: it is given up only when it refuses several times with no answer in between.
 */
import type { Teacher } from '../teachers/teacher.ts';
import type { TeacherError } from '../teachers/teacher-error.ts';

/** Refusals in a row of one that has answered. */
const REFUSALS = 3;

export class TeacherSetups {
  readonly #answered = new Set<Teacher>();
  readonly #refusals = new Map<Teacher, number>();
  readonly #disabled = new Map<Teacher, TeacherError>();

  answered(teacher: Teacher): void {
    this.#answered.add(teacher);
    this.#refusals.delete(teacher);
  }

  /** Whether it is given up from now on, and was not before. */
  refused(teacher: Teacher, error: TeacherError): boolean {
    if (this.#disabled.has(teacher)) return false;
    const refusals = (this.#refusals.get(teacher) ?? 0) + 1;
    this.#refusals.set(teacher, refusals);
    if (this.#answered.has(teacher) && refusals < REFUSALS) return false;
    this.#disabled.set(teacher, error);
    return true;
  }

  /** Why it was given up; undefined when it was not. */
  whyDisabled(teacher: Teacher): TeacherError | undefined {
    return this.#disabled.get(teacher);
  }

  isDisabled(teacher: Teacher): boolean {
    return this.#disabled.has(teacher);
  }
}
