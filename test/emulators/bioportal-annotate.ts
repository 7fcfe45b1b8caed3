/** The annotator behind the emulator: this project's dictionaries on the upper-cased text, in the service's JSON. Simulated. */
import { DictionaryTeacher } from '../../src/teachers/dictionary-teacher.ts';
import type { Quote } from '../../src/teachers/teacher.ts';

export type OffsetUnit = 'code-point' | 'utf-16' | 'byte';

/** Semantic types that make the emulator look into a dictionary, as far as it has one. */
const SYMPTOM_TYPES = ['T184', 'T033'];

const dictionary = new DictionaryTeacher();

export function annotateLike(form: URLSearchParams, unit: OffsetUnit): object[] {
  // as mgrep_client.rb does; "ß" becomes two letters and shifts what follows
  const text = (form.get('text') ?? '').toUpperCase().replaceAll('\n', ' ');
  const types = (form.get('semantic_types') ?? '').split(',').filter(type => type !== '');
  return (form.get('ontologies') ?? '').split(',').flatMap(acronym => {
    const tasks = acronym === 'RXNORM' ? ['medication'] : snomedTasks(types);
    return classes(
      acronym,
      tasks.flatMap(task => dictionary.annotate(text, task)),
      text,
      unit,
    );
  });
}

function snomedTasks(types: readonly string[]): string[] {
  if (types.length === 0) return ['disease', 'symptom'];
  const symptom = types.some(type => SYMPTOM_TYPES.includes(type));
  const disease = types.some(type => !SYMPTOM_TYPES.includes(type));
  return [...(disease ? ['disease'] : []), ...(symptom ? ['symptom'] : [])];
}

/** Places of the same class stand together, as the service groups them. */
function classes(acronym: string, quotes: readonly Quote[], text: string, unit: OffsetUnit): object[] {
  const byClass = new Map<string, Quote[]>();
  for (const quote of quotes) {
    const id = quote.codes?.[0]?.code ?? `SIMULATED-${quote.text.replaceAll(/\W+/g, '_')}`;
    byClass.set(id, [...(byClass.get(id) ?? []), quote]);
  }
  const points = [...text];
  const offset = (point: number): number => {
    if (unit === 'code-point') return point;
    const before = points.slice(0, point).join('');
    return unit === 'utf-16' ? before.length : Buffer.byteLength(before);
  };
  return [...byClass].map(([id, places]) => ({
    annotatedClass: {
      prefLabel: places[0]?.codes?.[0]?.display ?? places[0]?.text,
      '@id': `http://purl.bioontology.org/ontology/${acronym}/${id}`,
      '@type': 'http://www.w3.org/2002/07/owl#Class',
      links: {
        self: `https://data.bioontology.org/ontologies/${acronym}/classes/${encodeURIComponent(id)}`,
        ontology: `https://data.bioontology.org/ontologies/${acronym}`,
      },
    },
    hierarchy: [],
    annotations: places.map(({ text: said, at }) => ({
      from: offset(at?.start ?? 0) + 1,
      to: offset(at?.end ?? 0),
      matchType: 'PREF',
      text: said,
    })),
    mappings: [],
  }));
}
