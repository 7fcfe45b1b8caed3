/** If this fails, a training that is said to go on from a finished model begins with something else, or with layers that nobody chose. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MODEL_DIRECTORY } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { runPython, trainerPython } from '../support/trainer.ts';

const { skip } = trainerPython();
const folder = temporaryFolder('start');
/** Taggers with random weights, and model folders of them as far as `begin` looks. */
const FINISHED = `
import json, sys
from pathlib import Path
import numpy as np, onnx, torch
from tokenizers import Tokenizer, models
from transformers import BertConfig, BertModel
from checkpoint import expect_same
from export import export_float, quantise
from heads import CORPUS_HEADS, SERVED
from model import Tagger
from start import begin
out = Path(sys.argv[1])
def tokens(*more): return Tokenizer(models.WordPiece({each: i for i, each in enumerate(["[UNK]", "a", *more])}, unk_token="[UNK]"))
def tagger(seed, encoders="shared", layers=4):
    torch.manual_seed(seed)
    shape = dict(vocab_size=50, hidden_size=24, num_hidden_layers=layers, num_attention_heads=3, intermediate_size=32)
    model = Tagger(BertModel(BertConfig(**shape, attn_implementation="eager", initializer_range=0.5), add_pooling_layer=False), encoders)
    for each in model.parameters(): # no two alike, which the exporter would write once
        each.data += 0.1 * torch.randn_like(each)
    return model.eval()
def finished(model, name, tokenizer=tokens()):
    folder = out / name
    folder.mkdir()
    export_float(model, folder / "fp32")
    quantise(folder / "fp32", folder / "int8", 3, True)
    tokenizer.save(str(folder / "tokenizer.json"))
    heads = [{"task": task, "temperature": 1} for _, task in SERVED]
    manifest = {"name": name, "version": "1.2.3", "graphs": {"int8": "int8"}, "heads": heads}
    manifest |= {"corpusHeads": [{"corpus": c, "type": t} for c, t in CORPUS_HEADS]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
def said(action):
    try: print(action())
    except SystemExit as error: print(str(error).replace(str(out), "OUT"))
`;

const python = (program: string): ReturnType<typeof runPython> => runPython(['-c', FINISHED + program, folder]);

describe('what a training begins with', { skip, timeout: 240_000 }, () => {
  it("is a finished model's weights, each as near as its graph has them, or a refusal that leaves all as it was", async () => {
    const { code, stdout, stderr } = await python(`
for encoders in ("shared", "task"):
    model, other = tagger(1, encoders), tagger(2, encoders)
    record = begin(other, tokens(), finished(model, encoders), None)
    for name, wanted in model.state_dict().items():
        found = other.state_dict()[name]
        if wanted.dim() == 1:
            assert torch.equal(wanted, found), name
        elif "embeddings" in name:
            assert (wanted - found).abs().max() <= 0.51 * (wanted.max() - wanted.min()) / 255, name
        else: # one scale a channel, 7 bits
            assert ((wanted - found).abs() <= 0.51 * wanted.abs().amax(1, keepdim=True) / 63).all(), name
    ids = torch.randint(0, 50, (2, 9))
    with torch.no_grad():
        own, theirs = other(ids, torch.ones_like(ids)), model(ids, torch.ones_like(ids))
    assert (own - theirs).abs().mean() < 0.1 * theirs.std(), (own - theirs).abs().mean()
print(record["start"]["name"], record["start"]["version"], len(record["start"]["graph"]), record["layers"])
shallow = tagger(3, layers=3)
before = {name: each.clone() for name, each in shallow.state_dict().items()}
said(lambda: begin(shallow, tokens(), out / "shared", None))
said(lambda: begin(shallow, tokens("b"), out / "shared", None))
said(lambda: begin(shallow, tokens(), out, None))
assert all(torch.equal(each, before[name]) for name, each in shallow.state_dict().items())
run = {"recipe": {}, "start": {"name": "a"}, "encoder": {"layers": 2}}
old = out / "run"
old.mkdir()
(old / "checkpoint.pt").touch()
for changes in ({}, {"start": None}, {"start": {"name": "b"}}, {"encoder": {"layers": 1}}):
    (old / "run.json").write_text(json.dumps(run))
    said(lambda: expect_same(old, run | changes))
(old / "run.json").write_text("{}") # of before a training could begin so
said(lambda: expect_same(old, run))
`);
    assert.equal(code, 0, stderr);
    const another = (what: string): string =>
      `OUT/run holds a run with another ${what}: name a new --out, or remove it`;
    assert.deepEqual(stdout.trim().split('\n'), [
      'task 1.2.3 64 None',
      "--start OUT/shared: 16 of its weights are not of the base's shape, such as encoder.encoder.layer.3.attention.output.LayerNorm.bias: name the --base and --encoders that it was trained with",
      "--start OUT/shared: its vocabulary is not the base's: name the --base that it was trained with",
      '--start OUT: no model folder, since it has no manifest.json',
      'None',
      another('start'),
      another('start'),
      another('encoder'),
      another('start'),
    ]);
  });

  it('reads every weight of the model that ships', async () => {
    const { code, stdout, stderr } = await runPython([
      '-c',
      `
import sys
from pathlib import Path
from model import MINILM, Tagger, base_directory, load_tokenizer, pretrained
from start import begin
base = base_directory(MINILM)
print(begin(Tagger(pretrained(base, 0.0)), load_tokenizer(base), Path(sys.argv[1]), 3)["start"]["name"])
`,
      MODEL_DIRECTORY,
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, 'notes-minilm\n');
  });

  it('stays in the exported weights by the share asked for, and no other model does', async () => {
    const { code, stdout, stderr } = await python(`
from argparse import Namespace
from keep_start import keep
start, trained = finished(tagger(1), "begun"), tagger(2)
graph = begin(tagger(3), tokens(), start, None)["start"]
own = out / "trained"
own.mkdir()
def run(**record): (own / "run.json").write_text(json.dumps(record))
def kept(share, start=start, into=out):
    model = tagger(2)
    keep(model, Namespace(run=own, out=into, start=start, keep_start=share))
    return model.state_dict()
begun = tagger(3)
begin(begun, tokens(), start, None)
run(start=graph, layers=None)
for name, weight in kept(0.25).items():
    assert torch.allclose(weight, 0.75 * trained.state_dict()[name] + 0.25 * begun.state_dict()[name], atol=1e-6), name
    assert torch.equal(kept(0)[name], trained.state_dict()[name])
said(lambda: kept(0.5, None))
said(lambda: kept(0.5, finished(tagger(4), "stranger")))
said(lambda: kept(0.5, into=own))
run(start=None)
said(lambda: kept(0.5))
run(start=graph, layers={"kept": 2, "of": 4})
said(lambda: kept(0.5))
`);
    assert.equal(code, 0, stderr);
    const [nobody, ...others] = stdout.trim().split('\n');
    const wants = '--keep-start: wants --start, and a run that began with one; OUT/trained began with ';
    assert.ok(nobody?.startsWith(`${wants}{'name': 'begun'`), nobody);
    assert.deepEqual(others, [
      '--start OUT/stranger: OUT/trained began with other weights',
      '--keep-start: wants another --out than the run, whose record stays as it is',
      `${wants}None`,
      '--keep-start: OUT/trained left out layers of its start',
    ]);
  });

  it('has so many layers as are asked for, evenly spread, of the base or of a start, and may start with so few', async () => {
    const { code, stdout, stderr } = await python(`
def numbered(of):
    model = tagger(1, "task", of)
    for encoder in [model.encoder, *model.others]:
        for i, layer in enumerate(encoder.encoder.layer):
            layer.output.dense.bias.data.fill_(i)
            layer.output.dense.bias.data[1] += i / 10 # no two alike
    return model
def numbers(model):
    found = {tuple(int(layer.output.dense.bias[0]) for layer in each.encoder.layer) for each in [model.encoder, *model.others]}
    assert len(found) == 1 and model.shape()["layers"] == len(*found)
    return list(*found)
def kept(layers, of):
    model = numbered(of)
    assert begin(model, tokens(), None, layers) == {"start": None, "layers": None if layers == of else {"kept": layers, "of": of}}
    return numbers(model)
print([kept(1, 6), kept(2, 6), kept(3, 6), kept(6, 6), kept(6, 12)])
shared = numbered(4)
shared.others = torch.nn.ModuleList()
deep = finished(shared, "deep")
model = tagger(2)
print(begin(model, tokens(), deep, 3)["layers"], numbers(model))
short = finished(model, "short")
for layers in (3, None, 2):
    again = tagger(3)
    print(begin(again, tokens(), short, layers)["layers"], numbers(again))
said(lambda: begin(tagger(1), tokens(), None, 5))
said(lambda: begin(tagger(1), tokens(), None, 0))
`);
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.trim().split('\n'), [
      '[[0], [0, 5], [0, 2, 5], [0, 1, 2, 3, 4, 5], [0, 2, 4, 7, 9, 11]]',
      "{'kept': 3, 'of': 4} [0, 2, 3]",
      'None [0, 2, 3]',
      'None [0, 2, 3]',
      "{'kept': 2, 'of': 3} [0, 3]",
      '--layers 5: there are 4',
      '--layers 0: there are 4',
    ]);
  });
});
