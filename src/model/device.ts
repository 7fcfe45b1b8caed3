/** Which device and precision a model can run on here, in the order in which they are tried. */
import './no-telemetry.ts';
import { listSupportedBackends } from 'onnxruntime-node';
import type { Manifest } from './manifest.ts';

export type Device = 'cpu' | 'cuda' | 'webgpu';
export type Precision = 'int8' | 'fp16' | 'fp32';
export type RequestedDevice = 'auto' | Device;

export interface Candidate {
  readonly device: Device;
  readonly precision: Precision;
  /** File of the graph, or why this device cannot be had. */
  readonly graph: string | undefined;
  readonly reason: string;
}

/** int8 kernels exist for the CPU only; a GPU wants a floating-point graph. */
export function candidates(requested: RequestedDevice, manifest: Manifest): Candidate[] {
  const devices: readonly Device[] = requested === 'auto' ? ['cuda', 'webgpu', 'cpu'] : [requested];
  const supported = new Set<string>(listSupportedBackends().map(backend => backend.name));
  return devices.map(device => {
    const precision = device === 'cpu' ? 'int8' : manifest.graphs.fp16 !== undefined ? 'fp16' : 'fp32';
    if (!supported.has(device))
      return { device, precision, graph: undefined, reason: `this build of ONNX Runtime has no ${device}` };
    const graph = manifest.graphs[precision];
    const reason = graph === undefined ? 'the model ships no fp16 or fp32 graph' : `${precision} graph`;
    return { device, precision, graph, reason };
  });
}
