/** Words that mention nothing by themselves. A quote of nothing else would be marked at every place, and is dropped. */
const FILLERS = new Set(
  (
    'a an and are as at be been but by did do does for from had has have he her his i if in into is it its my no not of on or our ' +
    'she so than that the their them then there these they this those to was we were which who will with you your'
  ).split(' '),
);

/** @param words in the normal form (fold.ts). */
export function isFiller(words: readonly string[]): boolean {
  return words.every(word => FILLERS.has(word) || !/[\p{L}\p{N}]/u.test(word));
}
