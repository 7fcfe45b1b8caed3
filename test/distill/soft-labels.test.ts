/** If this fails, a model learns from the very notes that it is measured on, or from labels that mean nothing. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { MODEL_DIRECTORY } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { runPython, trainerPython } from '../support/trainer.ts';

const { skip } = trainerPython();
const corpus = temporaryFolder('soft-labels');

const linesOf = (...rows: readonly object[]): string => rows.map(row => `${JSON.stringify(row)}\n`).join('');
const noteOf = (word: string): string => Array.from({ length: 60 }, (_, i) => `${word}${i}`).join(' ');

describe('unlabelled text', { skip, timeout: 120_000 }, () => {
  it('has nothing of a dev or test document, whichever gold that stands in and whatever its types', async () => {
    const rowOf = (split: string, text: string, type: string) => ({
      id: `${split}-${type}`,
      split,
      text,
      entities: [{ start: 0, end: 4, type }],
    });
    for (const each of ['gold', 'teacher']) mkdirSync(join(corpus, each));
    writeFileSync(join(corpus, 'teacher/notes.jsonl'), linesOf(rowOf('dev', noteOf('note'), 'disease')));
    const mine = [rowOf('test', noteOf('mine'), 'Problem'), rowOf('train', noteOf('free'), 'Problem')];
    writeFileSync(join(corpus, 'gold/mine.jsonl'), `${linesOf(...mine)}\n`);
    writeFileSync(join(corpus, 'gold/hpo_gsc.jsonl'), linesOf(rowOf('test', noteOf('gene'), 'Phenotype')));
    writeFileSync(join(corpus, 'gold/more.jsonl.gz'), gzipSync(linesOf(rowOf('dev', noteOf('more'), 'Drug'))));
    for (const each of ['note', 'mine', 'gene', 'more', 'free']) {
      const twice = [
        { id: each, text: `${noteOf(each)}.` },
        { id: `another-${each}`, text: noteOf('other') },
      ];
      writeFileSync(join(corpus, `${each}.jsonl`), linesOf(...twice));
    }
    writeFileSync(join(corpus, 'known.jsonl'), linesOf({ id: 'dev-disease', text: noteOf('other') }));
    // little of a long document, and half of a short one; in the end in two documents together
    const long = (part: readonly string[]): string =>
      [...Array.from({ length: 20 }, (_, i) => noteOf(`long${i}x`)), ...part].join(' ');
    const words = noteOf('note').split(' ');
    const within = [
      { id: 'less', text: long(noteOf('mine').split(' ').slice(0, 30)) },
      { id: 'half', text: long(words.slice(0, 36)) },
      { id: 'one', text: long(noteOf('gene').split(' ').slice(0, 30)) },
      { id: 'two', text: long(noteOf('gene').split(' ').slice(30)) },
    ];
    writeFileSync(join(corpus, 'within.jsonl'), linesOf(...within));
    const { code, stdout, stderr } = await runPython([
      '-c',
      `
import sys
from pathlib import Path
from tokenizers import Tokenizer, models
from soft_labels import read_unlabelled
corpus = Path(sys.argv[1])
def read(name): return [each.id for each in read_unlabelled([corpus / f"{name}.jsonl"], corpus, Tokenizer(models.WordLevel({"a": 0}, "a")))]
for name in ("note", "mine", "gene", "more", "free", "known", "within"):
    print(name, *read(name))
(corpus / "gold" / "mine.jsonl").write_text('{"text": "CANARY"}')
read("free")
`,
      corpus,
    ]);
    assert.deepEqual(stdout.trim().split('\n'), [
      'note another-note',
      'mine another-mine',
      'gene another-gene',
      'more another-more',
      'free free another-free',
      'known',
      'within less',
    ]);
    assert.deepEqual(
      stderr.match(/\d left out/g)?.join(),
      '1 left out,1 left out,1 left out,1 left out,0 left out,0 left out,3 left out',
    );
    assert.equal(code, 1);
    assert.match(stderr, /gold\/mine\.jsonl:1: not a row of \{split, text\} \(KeyError\)/);
    assert.ok(!stderr.includes('CANARY'));
  });
});

describe('a soft teacher', { skip, timeout: 120_000 }, () => {
  it('labels what nobody has labelled, once for the same text and the same teachers', async () => {
    const { code, stdout, stderr } = await runPython([
      '-c',
      `
import sys
from pathlib import Path
import numpy as np
from corpus import Document
from heads import HEADS
from soft_labels import add_soft_labels
class Teacher:
    names, asked = [{"name": "a", "temperatures": [1.0]}], 0
    def __call__(self, document):
        self.asked += 1
        return np.outer(document.ids, np.arange(1, len(HEADS) + 1)) / 1024
def document(corpus, *ids, labels={}): return Document(corpus, corpus, np.array(ids), np.arange(len(ids)), labels)
human = {0: (np.ones(2, np.float32), 1.0)}
teacher, cache = Teacher(), Path(sys.argv[1]) / "soft"
def label(*documents): return [each.labels for each in add_soft_labels(list(documents), teacher, cache, 2)]
texts = [document("ncbi_disease", 1, 2, labels=human), document("notes", 3, 4), document("unlabelled", 5)]
first = label(*texts)
assert len(first[0]) == len(first[2]) == len(HEADS) and first[0][0] is human[0]
print(sorted({weight for _, weight in first[0].values()}), sorted({weight for _, weight in first[2].values()}), min(first[1]))
print([(first[i][4][0] * 1024).tolist() for i in range(3)], teacher.asked)
again = label(*texts)
assert all(np.array_equal(a[h][0], b[h][0]) for a, b in zip(first, again) for h in a)
print(teacher.asked)
label(*texts[:2], document("unlabelled", 6))
print(teacher.asked)
teacher.names = [{"name": "a", "temperatures": [2.0]}]
label(*texts)
print(teacher.asked)
`,
      temporaryFolder('soft-cache'),
    ]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.trim().split('\n'), [
      '[0.1, 0.3, 1.0] [0.2, 0.6] 3',
      '[[5.0, 10.0], [15.0, 20.0], [25.0]] 3',
      ...['3', '6', '9'],
    ]);
  });

  it("reads the base's word pieces, or nothing is learnt from it", async () => {
    const { code, stdout, stderr } = await runPython([
      '-c',
      `
import sys
from pathlib import Path
from tokenizers import Tokenizer, models
from model import load_tokenizer
from soft_labels import SoftTeachers
directory = Path(sys.argv[1])
print(SoftTeachers([directory], load_tokenizer(directory)).names[0]["name"])
SoftTeachers([directory], Tokenizer(models.WordLevel({"a": 0}, "a")))
`,
      MODEL_DIRECTORY,
    ]);
    assert.equal(stdout, 'notes-minilm\n');
    assert.equal(code, 1);
    const why = "its vocabulary is not the base's: name the --base that it was trained with";
    assert.equal(stderr.trim(), `--soft-teachers ${MODEL_DIRECTORY}: ${why}`);
  });
});
