/** What `tag` reads: plain text, one note a file, or JSON Lines `{id, text}`, one note a line. */
import { basename } from 'node:path';
import { InputError } from './input-error.ts';
import { decodeUtf8, type Line, lineText, readBytes, readLines } from './lines.ts';

export type InputFormat = 'auto' | 'text' | 'jsonl';

export interface TagNote {
  /** Echoed as it was given; the file's name (and line) where none was. */
  readonly id: string | number;
  readonly text: string;
}

/** A line that holds no note, or a file that cannot be read. It takes a row of the output too, so that nothing is lost. */
export interface BadNote {
  readonly id: string | number;
  readonly error: InputError;
}

export async function* readTagNotes(
  paths: readonly string[],
  format: InputFormat,
  stdin: AsyncIterable<Buffer>,
): AsyncIterable<TagNote | BadNote> {
  for (const path of paths) {
    const name = path === '-' ? 'stdin' : path;
    try {
      const { jsonl, bytes } = await recognise(readBytes(path, stdin), path, format);
      if (jsonl) yield* jsonNotes(bytes, name);
      else yield await textNote(bytes, name);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      yield { id: basename(name), error };
    }
  }
}

/** JSON Lines by the file's ending; standard input by its first character that is no white space. */
async function recognise(
  bytes: AsyncIterable<Buffer>,
  path: string,
  format: InputFormat,
): Promise<{ jsonl: boolean; bytes: AsyncIterable<Buffer> }> {
  if (format !== 'auto') return { jsonl: format === 'jsonl', bytes };
  if (path !== '-') return { jsonl: /\.(jsonl|ndjson)$/i.test(path), bytes };
  const head: Buffer[] = [];
  const iterator = bytes[Symbol.asyncIterator]();
  let first: string | undefined;
  while (first === undefined) {
    const next = await iterator.next();
    if (next.done === true) break;
    head.push(next.value);
    first = /[^\s\uFEFF]/.exec(next.value.toString('utf8'))?.[0];
  }
  async function* again(): AsyncIterable<Buffer> {
    yield* head;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  }
  return { jsonl: first === '{', bytes: again() };
}

async function textNote(bytes: AsyncIterable<Buffer>, name: string): Promise<TagNote | BadNote> {
  const parts: Buffer[] = [];
  for await (const part of bytes) parts.push(part);
  const id = basename(name);
  try {
    return { id, text: decodeUtf8(Buffer.concat(parts), name, true) };
  } catch (error) {
    if (error instanceof InputError) return { id, error };
    throw error;
  }
}

async function* jsonNotes(bytes: AsyncIterable<Buffer>, name: string): AsyncIterable<TagNote | BadNote> {
  for await (const line of readLines(bytes)) {
    const note = parseNote(line, name);
    if (note !== undefined) yield note;
  }
}

/** Nothing for an empty line. Errors name the line and the key, never what stands there. */
function parseNote(line: Line, name: string): TagNote | BadNote | undefined {
  const where = `${name}:${line.number}`;
  const bad = (id: string | number, code: InputError['code'], message: string): BadNote => ({
    id,
    error: new InputError(code, `${where}: ${message}`),
  });
  let row: unknown;
  let json: string;
  try {
    json = lineText(line, name);
    if (json.trim() === '') return undefined;
    row = JSON.parse(json);
  } catch (error) {
    if (error instanceof InputError) return { id: where, error };
    return bad(where, 'LINE_NOT_JSON', 'not JSON; each line must be an object {"id": …, "text": …}');
  }
  const { id, text } = (typeof row === 'object' && row !== null ? row : {}) as { id?: unknown; text?: unknown };
  const named = typeof id === 'string' || typeof id === 'number' ? id : where;
  if (id !== undefined && named !== id) return bad(where, 'LINE_NOT_A_NOTE', '"id" must be a string or a number');
  if (typeof id === 'number' && !isAsWritten(id, json)) {
    return bad(
      where,
      'LINE_NOT_A_NOTE',
      '"id" is a number that could not be given back as it is written: give it as a string',
    );
  }
  if (typeof text !== 'string') return bad(named, 'LINE_NOT_A_NOTE', '"text" must be a string');
  if (!text.isWellFormed()) {
    return bad(named, 'TEXT_NOT_UNICODE', '"text" holds half a surrogate pair, which is no Unicode character');
  }
  return { id: named, text };
}

/**
 * Whether a row's own id comes back as the number that stands in its JSON (1.0 as 1). Whole numbers that are not safe would by chance
 * only.
 */
function isAsWritten(id: number, json: string): boolean {
  if (Number.isInteger(id) && !Number.isSafeInteger(id)) return false;
  const written = new Map<unknown, string | undefined>();
  const row: unknown = JSON.parse(json, function (this: unknown, key, value: unknown, context?: { source?: string }) {
    if (key === 'id') written.set(this, context?.source);
    return value;
  });
  return written.get(row)?.replace(/\.0+$/, '') === String(id);
}
