/**
 * How many tokens a text can be at most, without the provider's tokeniser: byte-level BPE and SentencePiece with byte fallback
 * both spend at least one byte of UTF-8 on a token. English notes are nearer a quarter of that, so a reservation made of this
 * is some four times what will be used.
 */

/** Roles, separators and what a provider adds around messages and schema. */
const AROUND = 64;

export function tokensAtMost(...texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text, 'utf8'), AROUND);
}
