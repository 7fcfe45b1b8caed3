/** Which device and precision a model can run on here, in the order in which they are tried. */
import { listSupportedBackends } from 'onnxruntime-node';
import type { Manifest } from './manifest.ts';

export type Device = 'cpu' | 'cuda' | 'webgpu';
export type RequestedDevice = 'auto' | Device;

export interface Candidate {
  readonly device: Device;
  /** File of the graph, or why this device cannot be had. */
  readonly graph: string | undefined;
  readonly reason: string;
}

/** int8 kernels exist for the CPU only; a GPU wants a floating-point graph. */
export function candidates(requested: RequestedDevice, manifest: Manifest): Candidate[] {
  const devices: readonly Device[] = requested === 'auto' ? ['cuda', 'webgpu', 'cpu'] : [requested];
  const supported = new Set<string>(listSupportedBackends().map(backend => backend.name));
  return devices.map(device => {
    if (!supported.has(device))
      return { device, graph: undefined, reason: `this build of ONNX Runtime has no ${device}` };
    if (device === 'cpu') return { device, graph: manifest.graphs.int8, reason: 'int8 graph' };
    const precision = manifest.graphs.fp16 !== undefined ? 'fp16' : 'fp32';
    const graph = manifest.graphs[precision];
    return {
      device,
      graph,
      reason: graph === undefined ? 'the model ships no fp16 or fp32 graph' : `${precision} graph`,
    };
  });
}
