/** Zstandard for kafkajs, which brings only gzip; Node has it. Snappy and LZ4 neither has: kafka-error.ts says so. */
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import kafkajs from 'kafkajs';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

const zstd = {
  compress: (encoder: { readonly buffer: Buffer }): Promise<Buffer> => compress(encoder.buffer),
  decompress: (buffer: Buffer): Promise<Buffer> => decompress(buffer),
};

/** For all clients of this process. */
export function learnCompression(): void {
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => zstd;
}
