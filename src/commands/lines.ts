/** Lines of a byte stream, strictly UTF-8: a replacement character put in silently would shift every later offset. */
import { createReadStream } from 'node:fs';
import { InputError } from './input-error.ts';

const MAX_LINE_BYTES = 64 * 1024 * 1024;
const NEWLINE = 0x0a;

export interface Line {
  /** 1-based. */
  readonly number: number;
  /** Without the line's ending. */
  readonly bytes: Buffer;
}

/** The bytes of a file, or of stdin for `-`. @throws InputError FILE_UNREADABLE while reading. */
export async function* readBytes(path: string, stdin: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  try {
    for await (const chunk of path === '-' ? stdin : createReadStream(path)) yield chunk as Buffer;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new InputError('FILE_UNREADABLE', `cannot read ${path === '-' ? 'standard input' : path} (${code})`, {
      cause,
    });
  }
}

/** The text of a line: the byte order mark that some editors put at the start of a file is no part of it. */
export function lineText(line: Line, name: string): string {
  return decodeUtf8(line.bytes, `${name}:${line.number}`, line.number > 1);
}

/** Decodes strictly. @param keepMark whether a leading byte order mark stays part of the text. @throws InputError LINE_NOT_UTF8 naming `where`. */
export function decodeUtf8(bytes: Buffer, where: string, keepMark: boolean): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: keepMark }).decode(bytes);
  } catch {
    throw new InputError(
      'LINE_NOT_UTF8',
      `${where} is not UTF-8: convert it first (for example with iconv), so that offsets mean what they say`,
    );
  }
}

/** Lines as bytes; the last line may lack its ending. Empty lines are given too, so that numbers agree with an editor's. */
export async function* readLines(bytes: AsyncIterable<Buffer>, name: string): AsyncIterable<Line> {
  let parts: Buffer[] = [];
  let size = 0;
  let number = 0;
  const take = (): Line => {
    number++;
    const raw = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    const end = raw.at(-1) === 0x0d ? raw.length - 1 : raw.length;
    parts = [];
    size = 0;
    return { number, bytes: raw.subarray(0, end) };
  };
  for await (const chunk of bytes) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE, from); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      parts.push(chunk.subarray(from, at));
      yield take();
      from = at + 1;
    }
    if (from < chunk.length) {
      parts.push(chunk.subarray(from));
      size += chunk.length - from;
      if (size > MAX_LINE_BYTES)
        throw new InputError('LINE_TOO_LONG', `${name}:${number + 1} is longer than ${MAX_LINE_BYTES} bytes`);
    }
  }
  if (size > 0) yield take();
}
