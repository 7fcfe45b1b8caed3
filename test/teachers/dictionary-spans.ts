/** A dictionary's mentions as spans. */
import type { Span, Task } from '../../src/core/span.ts';
import type { DictionaryTeacher } from '../../src/teachers/dictionary-teacher.ts';

export function dictionarySpans(teacher: DictionaryTeacher): (text: string, task: Task) => Span[] {
  return (text, task) => teacher.annotate(text, task).flatMap(quote => quote.at ?? []);
}
