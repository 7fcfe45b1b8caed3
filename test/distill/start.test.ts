/** If this fails, a training that is said to go on from a finished model begins with something else, or with layers that nobody chose. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MODEL_DIRECTORY } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { runPython, trainerPython } from '../support/trainer.ts';

const { skip } = trainerPython();
const folder = temporaryFolder('start');
/** A model folder as far as `start_from` looks, of a tagger with random weights. */
const FINISHED = `
import json, sys
from pathlib import Path
import numpy as np, onnx, torch
from transformers import BertConfig, BertModel
from export import export_float, quantise
from heads import CORPUS_HEADS, SERVED
from model import Tagger
from start import keep_layers, start_from
def tagger(seed, encoders="shared", layers=4, **other):
    torch.manual_seed(seed)
    shape = dict(vocab_size=50, hidden_size=24, num_hidden_layers=layers, num_attention_heads=3, intermediate_size=32) | other
    model = Tagger(BertModel(BertConfig(**shape, attn_implementation="eager", initializer_range=0.5), add_pooling_layer=False), encoders)
    for each in model.parameters(): # no two alike, which the exporter would write once
        each.data += 0.1 * torch.randn_like(each)
    return model.eval()
def finished(model, folder):
    folder.mkdir()
    export_float(model, folder / "fp32")
    quantise(folder / "fp32", folder / "int8", 3, True)
    heads = {"heads": [{"task": task} for _, task in SERVED], "corpusHeads": [{"corpus": c, "type": t} for c, t in CORPUS_HEADS]}
    manifest = {"name": "mine", "version": "1.2.3", "graphs": {"int8": "int8"}} | heads
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
out = Path(sys.argv[1])
`;

const python = (program: string): ReturnType<typeof runPython> => runPython(['-c', FINISHED + program, folder]);

describe('what a training starts from', { skip, timeout: 240_000 }, () => {
  it("is a finished model's weights, each as near as its graph has them, and nothing where the shape is another", async () => {
    const { code, stdout, stderr } = await python(`
for encoders in ("shared", "task"):
    model, other = tagger(1, encoders), tagger(2, encoders)
    said = start_from(other, finished(model, out / encoders))
    wanted, found = model.state_dict(), other.state_dict()
    assert list(wanted) == list(found)
    for name, weights in wanted.items():
        step = weights.abs().max() / (127 if "embeddings" in name else 63)
        assert (weights - found[name]).abs().max() <= step / 2 + 1e-6, name
    ids = torch.randint(0, 50, (2, 9))
    with torch.no_grad():
        own, theirs = other(ids, torch.ones_like(ids)), model(ids, torch.ones_like(ids))
    assert (own - theirs).abs().mean() < 0.1 * theirs.std(), (own - theirs).abs().mean()
print(said["name"], said["version"], len(said["graph"]))
start_from(tagger(1, layers=3), out / "shared")
`);
    assert.equal(stdout, 'mine 1.2.3 64\n', stderr);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^--start .*shared: not of the base's shape, so far as encoder\.encoder\.layer\.3\.\S+ and 15 others$/m,
    );
  });

  it('reads every weight of the model that ships', async () => {
    const { code, stdout, stderr } = await runPython([
      '-c',
      `
import sys
from pathlib import Path
from model import MINILM, Tagger, base_directory, pretrained
from start import start_from
print(start_from(Tagger(pretrained(base_directory(MINILM), 0.0)), Path(sys.argv[1]))["name"])
`,
      MODEL_DIRECTORY,
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, 'notes-minilm\n');
  });

  it('has so many layers as are asked for, evenly spread', async () => {
    const { code, stdout, stderr } = await python(`
def kept(layers, of):
    model = tagger(1, "task", of)
    for encoder in [model.encoder, *model.others]:
        for i, layer in enumerate(encoder.encoder.layer):
            layer.output.dense.bias.data.fill_(i)
    keep_layers(model, layers)
    assert model.shape()["layers"] == layers and len(model.others) == 2
    numbers = {tuple(int(layer.output.dense.bias[0]) for layer in each.encoder.layer) for each in [model.encoder, *model.others]}
    assert len(numbers) == 1
    return list(*numbers)
print([kept(1, 6), kept(2, 6), kept(3, 6), kept(6, 6), kept(6, 12)])
keep_layers(tagger(1), 5)
`);
    assert.equal(stdout, '[[0], [0, 5], [0, 2, 5], [0, 1, 2, 3, 4, 5], [0, 2, 4, 7, 9, 11]]\n');
    assert.equal(code, 1);
    assert.match(stderr, /^--layers 5: the base has 4$/m);
  });
});
