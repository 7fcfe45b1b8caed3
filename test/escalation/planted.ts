/** Texts with mentions planted at known places, among words that no mention has; offsets are counted independently, in code points. */
import fc from 'fast-check';

/** Phrases without a word in common, so that nothing but the planting can make one of them stand in a text. */
export const PHRASES = [
  'hypertension',
  'chest pain',
  'shortness of breath',
  'type 2 diabetes mellitus',
  'metoprolol succinate',
  'Ménière disease',
  'acute bronchitis',
  'x-ray contrast medium',
  'nausea',
] as const;

const FILLERS = ['patient', 'was', 'seen', '7', 'today', 'Σίσυφος', 'naïve', 'cafe\u0301', '患者', 'ok'];
const GAPS = [
  ' ',
  '  ',
  '\r\n',
  '\n\n',
  ', ',
  '. ',
  ' 😀 ',
  ' 👩‍⚕️ ',
  '; ',
  ' (',
  ') ',
  '\t',
  '\u00a0',
  ' e\u0301 ',
  '/',
];

export interface Planted {
  readonly phrase: string;
  readonly start: number;
  readonly end: number;
}

export interface PlantedText {
  readonly text: string;
  readonly planted: readonly Planted[];
}

/** @param spell how each phrase is written in the text; the same phrase may be written in several ways. */
export function plantedText(
  spell: (phrase: string) => fc.Arbitrary<string>,
  phrases: readonly string[] = PHRASES,
): fc.Arbitrary<PlantedText> {
  const filler = fc.constantFrom(...FILLERS).map(word => ({ phrase: null, written: word }));
  const mention = fc.constantFrom(...phrases).chain(phrase => spell(phrase).map(written => ({ phrase, written })));
  const gap = fc.constantFrom(...GAPS);
  return fc.array(fc.tuple(fc.oneof(filler, mention), gap), { minLength: 1, maxLength: 40 }).map(parts => {
    let text = '';
    const planted: Planted[] = [];
    for (const [{ phrase, written }, after] of parts) {
      const start = points(text);
      if (phrase !== null) planted.push({ phrase, start, end: start + points(written) });
      text += written + after;
    }
    return { text, planted };
  });
}

export function points(text: string): number {
  return [...text].length;
}

/** The code points [start, end), by the definition. */
export function slice(text: string, start: number, end: number): string {
  return [...text].slice(start, end).join('');
}
