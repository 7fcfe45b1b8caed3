/** Lines of a byte stream, strictly UTF-8: a replacement character put in silently would shift every later offset. */
import { createReadStream } from 'node:fs';
import { InputError } from './input-error.ts';

const MAX_LINE_BYTES = 64 * 1024 * 1024;
const NEWLINE = 0x0a;

export interface Line {
  /** 1-based. */
  readonly number: number;
  /** Without the line's ending; null for a line that is longer than `MAX_LINE_BYTES`, which is read past. */
  readonly bytes: Buffer | null;
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

/**
 * The text of a line: the byte order mark that some editors put at the start of a file is no part of it.
 * @throws InputError LINE_TOO_LONG, LINE_NOT_UTF8
 */
export function lineText({ number, bytes }: Line, name: string): string {
  const where = `${name}:${number}`;
  if (bytes === null) throw new InputError('LINE_TOO_LONG', `${where} is longer than ${MAX_LINE_BYTES} bytes`);
  return decodeUtf8(bytes, where, number > 1);
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
export async function* readLines(bytes: AsyncIterable<Buffer>): AsyncIterable<Line> {
  let parts: Buffer[] = [];
  let size = 0;
  let number = 0;
  const add = (part: Buffer): void => {
    size += part.length;
    if (size > MAX_LINE_BYTES) parts = [];
    else parts.push(part);
  };
  const take = (): Line => {
    number++;
    const line = size > MAX_LINE_BYTES ? null : joined(parts);
    parts = [];
    size = 0;
    return { number, bytes: line };
  };
  for await (const chunk of bytes) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE, from); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, at));
      yield take();
      from = at + 1;
    }
    if (from < chunk.length) add(chunk.subarray(from));
  }
  if (size > 0) yield take();
}

/** Without the carriage return that may end it. */
function joined(parts: readonly Buffer[]): Buffer {
  const raw = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  return raw.at(-1) === 0x0d ? raw.subarray(0, -1) : raw;
}
