/** If this fails, a GPU runs int8, which has no kernels there, or a CPU a graph that is far slower than int8. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { candidates } from '../../src/model/device.ts';
import { loadModel, type Manifest } from '../../src/model/manifest.ts';
import { MODEL_DIRECTORY } from '../support/model.ts';

const { manifest } = loadModel(MODEL_DIRECTORY);
const chosen = (graphs: Manifest['graphs']): string[] =>
  candidates('auto', { ...manifest, graphs }).map(({ device, precision }) => `${device} ${precision}`);

describe('device', () => {
  it('is tried with fp16 on a GPU where the model has it, else fp32, and always with int8 on the CPU', () => {
    const int8 = 'i.onnx';
    assert.deepEqual(chosen({ int8, fp16: 'h.onnx', fp32: 'f.onnx' }), ['cuda fp16', 'webgpu fp16', 'cpu int8']);
    assert.deepEqual(chosen({ int8, fp32: 'f.onnx' }), ['cuda fp32', 'webgpu fp32', 'cpu int8']);
    const [cpu] = candidates('cpu', { ...manifest, graphs: { int8, fp16: 'h.onnx' } });
    assert.deepEqual([cpu?.precision, cpu?.graph], ['int8', int8]);
    for (const each of candidates('auto', { ...manifest, graphs: { int8 } }))
      assert.equal(each.graph, each.device === 'cpu' ? int8 : undefined, each.reason);
  });
});
