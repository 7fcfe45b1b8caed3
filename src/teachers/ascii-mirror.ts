/**
 * A text of the same length in which every code point is one ASCII character: what a service sees whose offsets are in a unit that it does
 * not document, and which upper-cases the text first ("ß" becomes two letters). In the mirror bytes, UTF-16 units and code points are one.
 */

const TYPOGRAPHY: Readonly<Record<string, string>> = {
  '‘': "'",
  '’': "'",
  '‛': "'",
  '′': "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '″': '"',
  '×': 'x',
  '−': '-',
};

/** Letters lose their accents; letters of other scripts become `x`, so that no word begins or ends where none did; the rest is space. */
export function asciiMirror(text: string): string {
  let mirror = '';
  for (const character of text) mirror += /^[ -~]$/.test(character) ? character : substitute(character);
  return mirror;
}

function substitute(character: string): string {
  const known = TYPOGRAPHY[character];
  if (known !== undefined) return known;
  if (/^\p{Pd}$/u.test(character)) return '-';
  if (!/^[\p{L}\p{M}\p{N}]$/u.test(character)) return ' ';
  const plain = character.normalize('NFKD').replace(/\p{M}/gu, '');
  return /^[A-Za-z0-9]$/.test(plain) ? plain : 'x';
}
