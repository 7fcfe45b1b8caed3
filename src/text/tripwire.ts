/**
 * Patterns, each with a check, for identifiers that de-identification should have removed. A tripwire, not a de-identifier: it
 * is tuned so that ordinary notes pass, and what it finds is a sign that the sender's de-identification failed.
 * Every pattern is linear in the text: bounded repetition, no nesting.
 */

export type IdentifierCategory = 'ssn' | 'mrn' | 'phone' | 'email' | 'url' | 'birth-date' | 'ip' | 'card';

interface Wire {
  readonly category: IdentifierCategory;
  readonly pattern: RegExp;
  readonly check: (match: RegExpMatchArray) => boolean;
}

const always = (): boolean => true;
const digits = (text: string): string => text.replace(/\D/g, '');

const WIRES: readonly Wire[] = [
  {
    category: 'ssn',
    pattern: /(?<![\d-])(\d{3})-(\d{2})-(\d{4})(?![\d-])/g,
    check: match => isSocialSecurity(match[1], match[2], match[3]),
  },
  {
    category: 'ssn',
    // without hyphens a word must say what it is: rows of vital signs look the same
    pattern:
      /\b(?:ss(?:n\b| ?[#:]| no\b)[\s\S]{0,30}?|soc(?:ial)?\b[^\n]{0,30}?)(?<!\d)(\d{3})( ?)(\d{2})\2(\d{4})(?![\d-])/gi,
    check: match => isSocialSecurity(match[1], match[3], match[4]),
  },
  {
    category: 'mrn',
    pattern:
      /\b(?:mrn|medical record (?:number|no\.?|#)|patient id|chart (?:number|no\.?|#))(?!\)?\.\s)[\s:#=().-]{0,6}(?:is )?([a-z]{0,3}\d[\d-]{4,13})\b/gi,
    check: match => digits(match[1] ?? '').length >= 5,
  },
  {
    category: 'phone',
    pattern: /(?<![\d./-])(\+?1[-. ])?(?:\(([2-9]\d{2})\) ?|([2-9]\d{2})[-.])([2-9]\d{2})([-. ])\d{4}(?![\d-]|\.\d)/g,
    // North American plan: neither area nor exchange is N11
    check: match =>
      [match[2], match[3], match[4]].every(part => part === undefined || !part.endsWith('11')) && !isRange(match),
  },
  {
    category: 'phone',
    pattern: /(?<![\d+])\+(?!1[-. (])[1-9]\d{0,2}[-. ]?(?:\(\d{1,4}\)[-. ]?)?\d{2,4}(?:[-. ]?\d{2,4}){1,4}(?!\d)/g,
    check: match => digits(match[0]).length >= 9 && digits(match[0]).length <= 15 && !isFluidBalance(match),
  },
  {
    category: 'email',
    pattern: /(?<![\w.+-])[\w+-][\w.+-]{0,63}@[a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9-]{1,63}){0,4}\.[a-z]{2,24}\b/gi,
    check: always,
  },
  { category: 'url', pattern: /\b(?:https?:\/\/|www\.)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,5}/gi, check: always },
  {
    category: 'birth-date',
    pattern:
      /\b(?:d\.?o\.?b\.?|date of birth|birth ?date|born(?: on)?)(?!\)?\.\s)[\s:=().-]{0,6}(?:is |was )?(?:(\d{1,2})[/.-](\d{1,2})[/.-](?:\d{4}|\d{2})|(\d{4})-(\d{1,2})-(\d{1,2})|(?:(\d{1,2})(?:st|nd|rd|th)?[ -]?)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?[ -]?(?:\d{1,2}(?:st|nd|rd|th)?(?:, ?|[ -]))?(\d{4}|\d{2}))(?!\d)/gi,
    // after a month's name two digits are its day, unless one stands before it
    check: match =>
      [match[1], match[2], match[4], match[5], match[6]].every(
        part => part === undefined || (Number(part) >= 1 && Number(part) <= 31),
      ) &&
      (match[7]?.length !== 2 || match[6] !== undefined),
  },
  {
    category: 'ip',
    pattern: /(?<![\d.])(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?![\d]|\.\d)/g,
    // section numbers such as 1.2.3.4 are ordinary in notes; an address has a part of three digits
    check: match =>
      match.slice(1, 5).every(part => Number(part) <= 255) && match.slice(1, 5).some(part => part.length === 3),
  },
  {
    category: 'card',
    pattern: /(?<![\d-])(?:\d{4}([- ]?)\d{4}\1\d{4}\1\d{1,7}|3[47]\d{2}([- ]?)\d{6}\2\d{5})(?![\d-])/g,
    check: match => isCard(digits(match[0])),
  },
];

/** How often each category was found; an empty map means that nothing tripped. */
export function trip(text: string): ReadonlyMap<IdentifierCategory, number> {
  const plain = toAscii(text);
  const found = new Map<IdentifierCategory, number>();
  for (const { category, pattern, check } of WIRES) {
    for (const match of plain.matchAll(pattern)) {
      if (check(match)) found.set(category, (found.get(category) ?? 0) + 1);
    }
  }
  return found;
}

/**
 * As it looks, in ASCII: full-width and mathematical characters, digits of any script, dashes and spaces of any kind, and nothing where there is
 * nothing to see. Only for looking: offsets play no part. Raised digits and digits in circles stay, and end a number.
 */
function toAscii(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text;
  return text
    .replace(/[\uff01-\uff5e\u{1d400}-\u{1d7ff}]/gu, styled => styled.normalize('NFKC'))
    .replace(/(?![0-9])\p{Nd}/gu, digit => String(digitValue(digit.codePointAt(0) as number)))
    .replace(/(?<=\d)\u00ad(?=\d)/g, '-')
    .replace(/\p{Cf}/gu, '')
    .replace(/[\p{Pd}\u2212]/gu, '-')
    .replace(/\p{Zs}/gu, ' ');
}

/** Unicode has the ten digits of a script in a row, from …0 to …9 or from …6 to …F. */
function digitValue(point: number): number {
  const endsAtF = /\p{Nd}/u.test(String.fromCodePoint(point | 0xf));
  return (point & 0xf) - (endsAtF ? 6 : 0);
}

/** A range and a year or an amount ("Plt 220-250 2020"), unless something says that it is a telephone. */
function isRange(match: RegExpMatchArray): boolean {
  const [, country, inBrackets, , , last] = match;
  return last === ' ' && country === undefined && inBrackets === undefined && !isCalledTelephone(match);
}

function isCalledTelephone({ index = 0, input = '' }: RegExpMatchArray): boolean {
  const before = input.slice(Math.max(0, index - 20), index);
  return /\b(?:tel|phone|telephone|call|fax|mobile|cell)\b[^\d\n]*$/i.test(before);
}

/**
 * Amounts, such as a fluid balance with what went in and out ("+1250 2500 1250"): groups of three and four digits between spaces, all of
 * them multiples of five, and no word of a telephone before. Of real numbers that are written in such groups one in 25 or fewer passes.
 */
function isFluidBalance(match: RegExpMatchArray): boolean {
  const [found] = match;
  if (!/^\+\d{3,4}(?: \d{3,4}){2,}$/.test(found)) return false;
  if (!found.split(' ').every(amount => Number(amount) % 5 === 0)) return false;
  return !isCalledTelephone(match);
}

/** https://www.ssa.gov/employer/randomization.html: never 000, 666 or 9xx; group never 00; serial never 0000. */
function isSocialSecurity(area = '', group = '', serial = ''): boolean {
  return !/^(000|666|9\d\d)$/.test(area) && group !== '00' && serial !== '0000';
}

/** Luhn's check (ISO/IEC 7812-1) on 13 to 19 digits that begin as a payment card does. */
function isCard(number: string): boolean {
  if (number.length < 13 || number.length > 19 || !/^(4|5[1-5]|2[2-7]|3[47]|6(?:011|5))/.test(number)) return false;
  let sum = 0;
  for (let i = 0; i < number.length; i++) {
    const digit = Number(number[number.length - 1 - i]);
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
