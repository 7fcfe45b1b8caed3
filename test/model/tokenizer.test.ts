/** If this fails, a token would carry another offset than the trainer gave it, or a long note would be cut differently. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TextTokenizer } from '../../src/model/tokenizer.ts';
import { MODEL_DIRECTORY } from '../support/model.ts';
import { trickyText } from '../text/support.ts';

const FILE = join(MODEL_DIRECTORY, 'tokenizer.json');
const tokenizer = new TextTokenizer(FILE);

describe('tokenizer', () => {
  it('gives offsets in code points, words that never fall, and no special tokens', async () => {
    const text = '💊 Ibuprofen\r\nnaïve cafe\u0301 [SEP]';
    const points = [...text];
    const { ids, starts, ends, words } = await tokenizer.encode(text);
    const pieces = [...ids].map((_, i) => points.slice(starts[i], ends[i]).join(''));
    assert.equal(pieces.filter((_, i) => words[i] === words[1]).join(''), 'Ibuprofen');
    assert.ok(pieces.includes('[') && pieces.includes(']'), 'a literal [SEP] is words, not a control token');
    assert.ok(!ids.includes(101) && !ids.includes(102));
    for (let i = 1; i < words.length; i++) assert.ok((words[i] as number) >= (words[i - 1] as number));
  });

  it('takes a control character that separates words for a space, and counts it', async () => {
    const spaced = await tokenizer.encode('💊 aspirin metoprolol');
    assert.equal(new Set(spaced.words).size, 3);
    for (const separator of ['\v', '\f', '\x1c', '\x1f', '\x80', '\x85', '\x96', '\x9f', '\u200b'])
      assert.deepEqual(
        await tokenizer.encode(`💊${separator}aspirin${separator}metoprolol`),
        spaced,
        JSON.stringify(separator),
      );
  });

  it('takes a bullet, tick, arrow, emoji or what could not be decoded for no part of the word that it touches', async () => {
    const bulleted = await tokenizer.encode('•aspirin•metoprolol•b12•');
    assert.equal(new Set(bulleted.words).size, 7);
    for (const symbol of ['\uf0b7', '\ufffd', '\x07', '☒', '✓', '■', '→', '↑', '①', '❶', '~', '€'])
      assert.deepEqual(
        (await tokenizer.encode(`${symbol}aspirin${symbol}metoprolol${symbol}b12${symbol}`)).starts,
        bulleted.starts,
        JSON.stringify(symbol),
      );
    const { words } = await tokenizer.encode('😣💊Aspirin for ❤️failure and 👍🏽sleep');
    assert.equal(new Set(words).size, 10, 'each emoji by itself, but those that touch one another');
  });

  it('leaves symbols that stand by themselves, or belong to a word or number', async () => {
    const words = async (text: string): Promise<number> => new Set((await tokenizer.encode(text)).words).size;
    assert.deepEqual(await Promise.all(['BP → low', 'Lipitor® 5×3 cm, 36.3℃'].map(words)), [3, 7]);
    assert.deepEqual(await tokenizer.encode('Crohn´s beta−blocker'), await tokenizer.encode("Crohn's beta-blocker"));
  });

  it('gives every piece a place inside the text, in order', async () => {
    await fc.assert(
      fc.asyncProperty(trickyText, async text => {
        const { ids, starts, ends } = await tokenizer.encode(text);
        const length = [...text].length;
        for (let i = 0; i < ids.length; i++) {
          assert.ok((starts[i] as number) < (ends[i] as number) && (ends[i] as number) <= length);
          if (i > 0) assert.ok((starts[i] as number) >= (ends[i - 1] as number));
        }
      }),
    );
  });

  it('gives the same tokens in pieces as in one', async () => {
    const inPieces = new TextTokenizer(FILE, 7);
    await fc.assert(
      fc.asyncProperty(trickyText, async text => {
        assert.deepEqual(await inPieces.encode(text), await tokenizer.encode(text));
      }),
    );
  });

  it('takes an empty text, and a megabyte without a single space', async () => {
    assert.equal((await tokenizer.encode('')).ids.length, 0);
    const { ids, ends } = await tokenizer.encode('x'.repeat(1_000_000));
    assert.deepEqual([ids.length, ends.at(-1)], [1, 1_000_000], 'one unknown word, not cut');
  });

  it('refuses a file that is no tokenizer', () => {
    assert.throws(() => new TextTokenizer(join(MODEL_DIRECTORY, 'manifest.json')), { code: 'MODEL_MISSING' });
  });
});
