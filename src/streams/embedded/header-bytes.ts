/** Headers as bytes and back, losslessly: for each, its name and its value, each with its length before it (32 bits, big-endian). */
import type { Headers } from '../../core/record.ts';

export function encodeHeaders(headers: Headers): Buffer {
  const parts = Object.entries(headers).flatMap(([name, value]) => {
    const text = Buffer.from(name, 'utf8');
    return [length(text), text, length(value), value];
  });
  return Buffer.concat(parts);
}

export function decodeHeaders(bytes: Buffer): Headers {
  const entries: [string, Buffer][] = [];
  let at = 0;
  const take = (): Buffer => {
    const size = bytes.readUInt32BE(at);
    const part = bytes.subarray(at + 4, at + 4 + size);
    at += 4 + size;
    return part;
  };
  while (at < bytes.length) entries.push([take().toString('utf8'), take()]);
  // not by assignment: a header may be called __proto__
  return Object.fromEntries(entries);
}

function length(part: Buffer): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(part.length);
  return bytes;
}
