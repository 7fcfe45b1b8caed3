/** If this fails, a training that was cut off ends elsewhere, words are learnt that are never tagged, or labels on the wrong ones. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { sha256Of } from '../../src/model/manifest.ts';
import { TextTokenizer } from '../../src/model/tokenizer.ts';
import { MODEL_DIRECTORY, ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { runPython as run, trainerPython } from '../support/trainer.ts';

const { skip } = trainerPython();
const folder = temporaryFolder('trainer');
const notes = join(folder, 'corpus/teacher/notes.jsonl');

const train = (out: string, ...args: string[]) =>
  run(['train.py', '--corpus', join(folder, 'corpus'), '--out', join(folder, out), '--layers', '1', ...args]);
const weights = (out: string): string => sha256Of(readFileSync(join(folder, out, 'model.safetensors')));

describe('the trainer', { skip, timeout: 600_000 }, () => {
  before(() => {
    mkdirSync(join(folder, 'corpus/teacher'), { recursive: true });
    const rows = readFileSync(join(ROOT, 'test/data/quality/teacher-dev.jsonl'), 'utf8').split('\n').filter(Boolean);
    const split = (i: number): string => (i % 6 === 0 ? 'dev' : 'train');
    writeFileSync(notes, rows.map((row, i) => `${JSON.stringify({ ...JSON.parse(row), split: split(i) })}\n`).join(''));
  });

  it('ends with the same weights whether it was cut off or not, dropout and all', async () => {
    const paper = ['--preset', 'paper', '--encoders', 'shared', '--labels', 'teacher', '--threads', '1'];
    const whole = await train('whole', ...paper, '--max-steps', '6');
    assert.equal(whole.code, 0, whole.stderr);
    await train('cut', ...paper, '--max-steps', '3');
    const before = weights('cut');
    const resumed = await train('cut', ...paper, '--max-steps', '6');
    assert.match(resumed.stderr, /resuming at step 3/);
    assert.notEqual(before, weights('cut'));
    assert.equal(weights('cut'), weights('whole'));
    const other = await train('cut', ...paper, '--max-steps', '6', '--seed', '7');
    assert.equal(other.code, 1);
    assert.match(other.stderr, /holds a run with another recipe: name a new --out, or remove it/);
    const fewer = await train('cut', ...paper, '--max-steps', '4');
    assert.match(fewer.stderr, /holds a run of 6 steps, and 4 are asked for/);
    assert.equal(weights('cut'), weights('whole'));
  });

  it('ends with the same weights in our own recipe too, masked pieces, averages and a torn row of its progress', async () => {
    const own = ['--preset', 'self-trained', '--labels', 'teacher', '--threads', '1'];
    const whole = await train('own', ...own, '--max-steps', '6');
    assert.equal(whole.code, 0, whole.stderr);
    await train('torn', ...own, '--max-steps', '3');
    const progress = join(folder, 'torn/metrics.jsonl');
    writeFileSync(progress, '{"step": 4, "st', { flag: 'a' });
    const resumed = await train('torn', ...own, '--max-steps', '6');
    assert.match(resumed.stderr, /resuming at step 3/);
    assert.equal(weights('torn'), weights('own'));
    const steps = readFileSync(progress, 'utf8')
      .trim()
      .split('\n')
      .map(row => (JSON.parse(row) as { step: number }).step);
    assert.deepEqual(steps, [0, 3, 6]);
    const exported = (): Promise<{ code: number | null; stderr: string }> =>
      run([
        'export.py',
        '--run',
        join(folder, 'torn'),
        '--out',
        join(folder, 'out'),
        '--corpus',
        join(folder, 'corpus'),
      ]);
    const record = join(folder, 'torn/run.json');
    const said = JSON.parse(readFileSync(record, 'utf8')) as object;
    writeFileSync(record, JSON.stringify({ ...said, steps: 9 }));
    assert.match((await exported()).stderr, /6 of 9 steps are done: run the training again/);
    writeFileSync(record, '');
    for (const again of [await exported(), await train('torn', ...own, '--max-steps', '6')]) {
      assert.equal(again.code, 1);
      assert.match(again.stderr, /holds a checkpoint without a readable run\.json \(JSONDecodeError\)/);
    }
  });

  it('begins with a whole BERT alone, and shows capitals to a vocabulary that has them', async () => {
    const program = `
import json, sys
from pathlib import Path
from safetensors.torch import save_file
from transformers import BertConfig, BertModel
from model import load_tokenizer, pretrained
base = Path(sys.argv[1])
base.mkdir()
words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Chest", "chest", "pain", "[", "]", "mask", "MASK"]
(base / "vocab.txt").write_text("\\n".join(words))
shape = dict(vocab_size=12, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8)
model = BertModel(BertConfig(**shape), add_pooling_layer=False)
model.config.to_json_file(base / "config.json")
save_file(model.half().state_dict(), str(base / "model.safetensors"), metadata={"format": "pt"})
print(load_tokenizer(base).encode("Chest pain [MASK]").tokens, pretrained(base, 0.0).dtype)
def said(change):
    change()
    try: pretrained(base, 0.0)
    except SystemExit as refusal: print(refusal)
weights = {name: each for name, each in model.state_dict().items() if "layer.1" not in name}
said(lambda: save_file(weights, str(base / "model.safetensors"), metadata={"format": "pt"}))
said(lambda: (base / "config.json").write_text(json.dumps({"model_type": "electra"})))
`;
    const { code, stdout, stderr } = await run(['-c', program, join(folder, 'base')]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.trim().split('\n'), [
      "['Chest', 'pain', '[', 'MASK', ']'] torch.float32",
      '--base base: 16 weights of a bert are not there, such as encoder.layer.1.attention.output.LayerNorm.bias',
      '--base base: a electra, and only a bert can be read',
    ]);
  });

  it('exports attention as one operator a layer, which finds the same whether a batch is padded or not', async () => {
    const program = `
import sys
from pathlib import Path
import numpy as np, onnx, torch
from transformers import BertConfig, BertModel
from export import export_float, open_session
from fuse_attention import fuse_attention
from model import Tagger
torch.manual_seed(1)
shape = dict(vocab_size=50, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=32)
base = BertModel(BertConfig(**shape, attn_implementation="eager", initializer_range=0.5), add_pooling_layer=False)
for encoders, layers in [("shared", 2), ("task", 6)]:
    written, fused = (Path(sys.argv[1]) / f"{encoders}.{name}.onnx" for name in ("written", "fused"))
    export_float(Tagger(base, encoders).eval(), written)
    graph = onnx.load(str(written))
    assert fuse_attention(graph, heads=3) == layers
    assert not [node for node in graph.graph.node if node.op_type == "Softmax"]
    onnx.save(graph, str(fused))
    ids = np.random.default_rng(1).integers(0, 50, (3, 9))
    whole = np.ones_like(ids)
    padded = whole.copy()
    padded[1, 5:] = padded[2, 2:] = 0
    for mask in (whole, padded):
        found, wanted = (open_session(each).run(None, {"input_ids": ids, "attention_mask": mask}) for each in (fused, written))
        for own, theirs in zip(found, wanted):
            assert own.shape == theirs.shape and theirs.std() > 0.03
            assert np.abs(own - theirs)[mask > 0].max() < 1e-5, (encoders, np.abs(own - theirs)[mask > 0].max())
    assert fuse_attention(graph, heads=3) == 0
`;
    const { code, stderr } = await run(['-c', program, folder]);
    assert.equal(code, 0, stderr);
  });

  it("keeps a GPU's random state too, of which its dropout draws", async () => {
    const program = `
import sys
from pathlib import Path
import torch
from torch import nn
import checkpoint
out = Path(sys.argv[1])
out.mkdir(exist_ok=True)
model = nn.Linear(1, 1)
optimizer = torch.optim.AdamW(model.parameters())
checkpoint.save(out, model, optimizer, {}, 1)
checkpoint.resume(out, model, optimizer, {})
states = [torch.arange(4, dtype=torch.uint8), torch.ones(4, dtype=torch.uint8)]
given = {}
torch.cuda.is_available = lambda: True
torch.cuda.get_rng_state_all = lambda: states
torch.cuda.set_rng_state = lambda state, device: given.update({device: state.tolist()})
checkpoint.save(out, model, optimizer, {}, 1)
for devices in (2, 1):
    torch.cuda.device_count = lambda: devices
    given.clear()
    checkpoint.resume(out, model, optimizer, {})
    print(given)
`;
    const { code, stdout, stderr } = await run(['-c', program, join(folder, 'gpu')]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, '{0: [0, 1, 2, 3], 1: [1, 1, 1, 1]}\n{0: [0, 1, 2, 3]}\n');
  });

  it('takes bfloat16 where the processor has it, and nowhere else', async () => {
    const program = `
import torch
from pathlib import Path
from train import has_bfloat16
def said(cpuinfo):
    Path.read_text = cpuinfo
    return has_bfloat16(torch.device("cpu"))
def absent(self): raise FileNotFoundError
flags = ["flags : fma avx2", "flags : avx512f avx512_bf16", "flags : amx_bf16 amx_tile", "Features : asimd bf16", "Features : asimd ebf16x"]
print([said(lambda self, line=line: line) for line in flags] + [said(absent)])
`;
    const { code, stdout, stderr } = await run(['-c', program]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, '[False, False, True, True, False, False]\n');
  });

  it('reads a text in the pieces, words and offsets in which it is tagged', async () => {
    const rows = readFileSync(notes, 'utf8').trim().split('\n').slice(0, 3);
    const texts = rows.map(row => (JSON.parse(row) as { text: string }).text);
    texts.push('💊\vaspirin\fmeto\x1fprolol\x85na\x92\u0301ve\x07 e\u0301\u2028x\u200by\r\n\tz');
    texts.push(
      '☒Diabetes ✓COPD 5×3 25→50 25→mg HR↑120 K↑ ❤️x 👍🏽y \uf0b7asthma\ufffdCrohn´s H−CO3 36.3℃ Lipitor® ①gout ½',
    );
    const program = `
import json, sys
from corpus import encode
from tokenizers import Tokenizer
tokenizer = Tokenizer.from_file(sys.argv[1])
encoded = [encode(tokenizer, text) for text in json.loads(sys.argv[2])]
print(json.dumps([[each.ids, [start for start, _ in each.offsets], [end for _, end in each.offsets], each.word_ids] for each in encoded]))
`;
    const file = join(MODEL_DIRECTORY, 'tokenizer.json');
    const { code, stdout, stderr } = await run(['-c', program, file, JSON.stringify(texts)]);
    assert.equal(code, 0, stderr);
    const tokenizer = new TextTokenizer(file);
    const tagged = await Promise.all(texts.map(text => tokenizer.encode(text)));
    assert.deepEqual(
      JSON.parse(stdout),
      tagged.map(({ ids, starts, ends, words }) => [ids, starts, ends, words].map(each => [...each])),
    );
  });

  it('keeps every label on its mention when it writes shorthand', async () => {
    const program = `
import json, random, sys
from pathlib import Path
from corpus import read_rows
from shorthand import TABLES, abbreviate, made_up_lines
rows = list(read_rows(Path(sys.argv[1]), "notes"))
short = [abbreviate(row, random.Random(1)) for row in rows]
lines = made_up_lines(rows, random.Random(1), 50)
def mentions(row): return [[e["type"], row["text"][e["start"]:e["end"]]] for e in row["entities"]]
print(json.dumps({"tables": TABLES, "long": list(map(mentions, rows)), "short": list(map(mentions, short)), "made": list(map(mentions, lines)), "texts": [row["text"] for row in lines]}))
`;
    const { code, stdout, stderr } = await run(['-c', program, notes]);
    assert.equal(code, 0, stderr);
    type Mentions = readonly (readonly [task: string, text: string])[];
    const said = JSON.parse(stdout) as {
      tables: Record<string, Record<string, string>>;
      long: Mentions[];
      short: Mentions[];
      made: Mentions[];
      texts: string[];
    };
    let abbreviated = 0;
    said.long.forEach((mentions, i) => {
      assert.equal(said.short[i]?.length, mentions.length);
      mentions.forEach(([task, text], j) => {
        const [sameTask, now] = said.short[i]?.[j] ?? [];
        assert.equal(sameTask, task);
        if (now === text) return;
        assert.equal(now, said.tables[task]?.[text.toLowerCase()]);
        abbreviated++;
      });
    });
    assert.ok(abbreviated > 5, `${abbreviated} mentions were abbreviated`);
    const known = new Set([
      ...said.long.flat().map(each => each[1]),
      ...Object.values(said.tables).flatMap(table => Object.values(table)),
    ]);
    for (const [, text] of said.made.flat()) assert.ok(known.has(text));
    assert.ok(said.texts.some(text => /c\/o|h\/o|PMH/.test(text)));
  });

  it('writes shorthand of no note beyond the share that it learns from', async () => {
    const program = `
import json, sys
from pathlib import Path
from tokenizers import Tokenizer, models, pre_tokenizers
from corpus import Reading, in_share
from recipe import Recipe
from train import shorthand_of
path = Path(sys.argv[1])
def row(i): return {"id": str(i), "split": "train", "text": f"takes drug{i} as needed", "entities": [{"start": 6, "end": 10 + len(str(i)), "type": "medication"}]}
path.write_text("".join(json.dumps(row(i)) + "\\n" for i in range(300)))
tokenizer = Tokenizer(models.WordLevel({"[UNK]": 300} | {f"drug{i}": i for i in range(300)}, "[UNK]"))
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
for share in (1, 0.5):
    short, lines = shorthand_of({"notes": path}, Recipe(shorthand=0.4), Reading(tokenizer), share)
    named = {str(each) for line in lines for each in line.ids.tolist() if each < 300}
    print(len(lines) > 30, len(named) > 20, len(short) > 80, all(in_share(each, share) for each in {*named, *short}))
`;
    const { code, stdout, stderr } = await run(['-c', program, join(folder, 'shares.jsonl')]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, 'True True True True\n'.repeat(2));
  });

  it('steers by dev labels that count whole, whatever confidence they were fused with', async () => {
    const program = `
import json, sys
from pathlib import Path
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from heads import HEADS
from model import CLS, MASK, PAD, SEP
from train import Collator, dev_documents, dev_f1
path = Path(sys.argv[1])
entity = {"start": 6, "end": 15, "type": "medication", "confidence": 0.5}
path.write_text(json.dumps({"id": "a", "split": "dev", "text": "takes metformin daily", "entities": [entity]}))
words = ["takes", "metformin", "daily", CLS, MASK, PAD, SEP]
tokenizer = Tokenizer(models.WordLevel({each: i for i, each in enumerate(words)}, "daily"))
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
class Marks(torch.nn.Linear):
    def forward(self, ids, attention): return torch.where(ids == 1, 1.0, -1.0)[..., None].expand(*ids.shape, len(HEADS))
found = dev_f1(Marks(1, 1), dev_documents({"notes": path}, tokenizer, "both"), Collator(tokenizer, 0))
print(found["notes:note/medication"], found["notes:note/disease"])
`;
    const { code, stdout, stderr } = await run(['-c', program, join(folder, 'confident.jsonl')]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, '1.0 0.0\n');
  });

  it('says which gold it does not read, and where a row is wrong, and nothing of what stands there', async () => {
    const row = { id: 'CANARY', split: 'train', text: 'CANARY', entities: [{ start: 0, end: 99, type: 'disease' }] };
    writeFileSync(notes, `${readFileSync(notes, 'utf8')}${JSON.stringify(row)}\n`);
    mkdirSync(join(folder, 'corpus/gold'));
    for (const name of ['mine', 'chia']) writeFileSync(join(folder, `corpus/gold/${name}.jsonl`), '');
    const { code, stderr } = await train('wrong', '--max-steps', '1');
    assert.equal(code, 1);
    assert.match(stderr, /^train: nothing is learnt from gold\/mine\.jsonl: no head reads such a corpus$/m);
    assert.match(stderr, /notes\.jsonl:36: not a corpus row \(ValueError\)/);
    assert.ok(!stderr.includes('CANARY'));
  });
});
