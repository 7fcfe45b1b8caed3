/** If this fails, `tag` would skip a line, blame the wrong one, or shift offsets by repairing text in silence. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { lineText, readLines } from '../../src/commands/lines.ts';
import { type InputFormat, readTagNotes } from '../../src/commands/tag-input.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('input');

async function* chunks(...parts: (string | Buffer)[]): AsyncIterable<Buffer> {
  for (const part of parts) yield Buffer.from(part);
}

async function read(stdin: AsyncIterable<Buffer>, format: InputFormat = 'auto', paths = ['-']): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const note of readTagNotes(paths, format, stdin)) {
    rows.push('error' in note ? { id: note.id, code: note.error.code, message: note.error.message } : { ...note });
  }
  return rows;
}

describe('tag input', () => {
  it('reads JSON Lines from standard input, and counts empty lines', async () => {
    const rows = await read(chunks('\uFEFF\n{"id": 7, "text": "a"}\r\n\n', '{"text": "b', '\\n"}'));
    assert.deepEqual(rows, [
      { id: 7, text: 'a' },
      { id: 'stdin:4', text: 'b\n' },
    ]);
  });

  it('reads plain text whole, byte order mark and line ends included', async () => {
    const path = join(folder, 'note.txt');
    writeFileSync(path, '\uFEFF{not json}\r\nsecond 💊 line\n');
    assert.deepEqual(await read(chunks(), 'auto', [path]), [
      { id: 'note.txt', text: '\uFEFF{not json}\r\nsecond 💊 line\n' },
    ]);
    assert.deepEqual(await read(chunks(''), 'auto'), [{ id: 'stdin', text: '' }]);
  });

  it('gives a bad line a row that names it and its fault, never its content', async () => {
    const canary = 'CANARY-TEXT';
    const lines = [
      `{"id": "1", "text": "${canary}`,
      `{"id": "2", "text": ["${canary}"]}`,
      `{"id": {"${canary}": 1}, "text": "x"}`,
      `"${canary}"`,
      `{"id": "5", "text": "${canary} \\ud83d"}`,
    ];
    const rows = await read(
      chunks(...lines.map(line => `${line}\n`), Buffer.from([0x7b, 0xff, 0x0a]), '{"id": "7", "text": "good"}'),
      'jsonl',
    );
    assert.deepEqual(
      rows.map(row => (row as { code?: string }).code),
      [
        'LINE_NOT_JSON',
        'LINE_NOT_A_NOTE',
        'LINE_NOT_A_NOTE',
        'LINE_NOT_A_NOTE',
        'TEXT_NOT_UNICODE',
        'LINE_NOT_UTF8',
        undefined,
      ],
    );
    assert.ok(!JSON.stringify(rows).includes(canary));
    assert.match((rows[1] as { message: string }).message, /^stdin:2: /);
  });

  it('gives a file that cannot be read a row, and goes on with the next', async () => {
    const paths = ['a.txt', 'absent.txt', 'b.txt'].map(name => join(folder, name));
    writeFileSync(join(folder, 'a.txt'), 'a');
    writeFileSync(join(folder, 'b.txt'), 'b');
    assert.deepEqual(await read(chunks(), 'auto', paths), [
      { id: 'a.txt', text: 'a' },
      { id: 'absent.txt', code: 'FILE_UNREADABLE', message: `cannot read ${paths[1]} (ENOENT)` },
      { id: 'b.txt', text: 'b' },
    ]);
  });

  it('keeps the lines that came before a stream fails', async () => {
    async function* failing(): AsyncIterable<Buffer> {
      yield Buffer.from('{"id": "1", "text": "a"}\n{"id": "2", "te');
      throw Object.assign(new Error('read'), { code: 'EIO' });
    }
    assert.deepEqual(await read(failing()), [
      { id: '1', text: 'a' },
      { id: 'stdin', code: 'FILE_UNREADABLE', message: 'cannot read standard input (EIO)' },
    ]);
  });

  it('refuses a line that is too long, holding no more than that of it, and goes on', async () => {
    const part = Buffer.alloc(1024 * 1024, 'x');
    async function* long(): AsyncIterable<Buffer> {
      yield Buffer.from('{"id": "1", "text": "a"}\nx');
      for (let i = 0; i < 65; i++) yield part;
      yield Buffer.from('xx\n{"id": "3", "text": "b"}\n');
    }
    assert.deepEqual(await read(long()), [
      { id: '1', text: 'a' },
      { id: 'stdin:2', code: 'LINE_TOO_LONG', message: 'stdin:2 is longer than 67108864 bytes' },
      { id: '3', text: 'b' },
    ]);
  });

  it('refuses a number as id that it could not give back, and takes any other', async () => {
    const ids = ['7', '-3', '0', '1.5', '1.0', '9007199254740991', '"12345678901234567890"'];
    const lost = ['12345678901234567890', '9007199254740992', '1e400', '0.10000000000000000001', '1e2', '-0'];
    const lines = [...ids, ...lost].map(id => `{"id": ${id}, "text": "x", "of": {"id": 12345678901234567890}}\n`);
    const rows = (await read(chunks(...lines))) as { id: unknown; code?: string; message?: string }[];
    assert.deepEqual(
      rows.slice(0, ids.length).map(row => row.id),
      [7, -3, 0, 1.5, 1, 9007199254740991, '12345678901234567890'],
    );
    for (const [i, row] of rows.slice(ids.length).entries()) {
      assert.deepEqual([row.id, row.code], [`stdin:${ids.length + i + 1}`, 'LINE_NOT_A_NOTE'], lost[i]);
      assert.match(row.message ?? '', /give it as a string/);
    }
  });

  it('splits lines alike however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.stringMatching(/^[a-z💊é]{0,6}$/u)),
        fc.integer({ min: 1, max: 7 }),
        async (lines, step) => {
          const bytes = Buffer.from(lines.map(line => `${line}\n`).join(''));
          const parts = Array.from({ length: Math.ceil(bytes.length / step) }, (_, i) =>
            bytes.subarray(i * step, (i + 1) * step),
          );
          const seen: string[] = [];
          for await (const line of readLines(chunks(...parts))) seen.push(lineText(line, 'x'));
          assert.deepEqual(seen, lines);
        },
      ),
    );
  });
});
