/** What an emulated model says: what its gold knows, or what the fault makes of it. */
import { GUIDELINES, type Guideline } from '../../src/teachers/guidelines.ts';
import type { Fault } from './faults.ts';
import { type Gold, INVENTED } from './gold.ts';
import { demanded, type Question } from './read-question.ts';

export type Said =
  | { readonly end: 'answered' | 'length'; readonly text: string }
  | { readonly end: 'refusal' | 'content-filter' | 'empty-choices' };

export function saidUnder(fault: Fault, { text, task }: Question, gold: Gold): Said {
  const mentions = (quotes: readonly string[]) => JSON.stringify({ mentions: quotes.map(quote => ({ quote })) });
  const truth = () => mentions(gold.quotes(text, task));
  switch (fault) {
    case 'refusal':
    case 'content-filter':
    case 'empty-choices':
      return { end: fault };
    case 'length':
      return { end: 'length', text: truth().slice(0, 20) };
    case 'empty-text':
      return { end: 'answered', text: '' };
    case 'bad-json':
      return { end: 'answered', text: `Here you are: ${truth()}` };
    case 'wrong-schema':
      return { end: 'answered', text: JSON.stringify({ entities: gold.quotes(text, task) }) };
    case 'invented':
      return { end: 'answered', text: mentions([`${INVENTED} 1`, `${INVENTED} 2`]) };
    case 'obeyed':
      return { end: 'answered', text: mentions([demanded(text)]) };
    case 'echoed':
      return { end: 'answered', text: mentions(['You mark mentions of one kind', ...exampleOf(task)]) };
    default:
      return { end: 'answered', text: truth() };
  }
}

function exampleOf(task: string): readonly string[] {
  return (GUIDELINES as Readonly<Record<string, Guideline>>)[task]?.example.mentions ?? [];
}
