/** If these fail, the types that the program is checked against are not what stands on the wire. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { typescriptOf } from '../../src/events/generate.ts';
import type { AvroSchema } from '../../src/events/schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';

const ROOT = resolve(import.meta.dirname, '../..');

const SCHEMA: AvroSchema = {
  type: 'record',
  name: 'Visit',
  namespace: 'x',
  doc: 'A visit. */ Not the end.',
  fields: [
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['IN', 'OUT'] } },
    { name: 'again', type: ['null', 'x.Kind'] },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' }, doc: 'When it began.' },
    { name: 'weights', type: { type: 'array', items: ['null', 'double'] } },
    { name: 'raw', type: 'bytes' },
    { name: 'code', type: { type: 'fixed', name: 'WardCode', size: 3 } },
    { name: 'counts', type: { type: 'map', values: ['null', 'long'] } },
  ],
};

const EXPECTED = `/** Generated from schemas/*.avsc by \`npm run generate\`: change those, never this. */

export type Kind = 'IN' | 'OUT';

export type WardCode = Buffer;

/** A visit. *\\/ Not the end. */
export interface Visit {
  readonly kind: Kind;
  readonly again: Kind | null;
  /** When it began. Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly weights: readonly (number | null)[];
  readonly raw: Buffer;
  readonly code: WardCode;
  readonly counts: Readonly<Record<string, number | null>>;
}
`;

describe('generated types', () => {
  it('say what the schema says', () => {
    assert.equal(typescriptOf([SCHEMA]), EXPECTED);
  });

  it('refuse two types of one name', () => {
    assert.throws(
      () => typescriptOf([SCHEMA, { type: 'enum', name: 'Kind', symbols: ['A'] }]),
      /two schemas define Kind/,
    );
  });

  it('are up to date in this repository', () => {
    const script = join(ROOT, 'src/events/generate.ts');
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });

  it('are checked: a schema changed alone fails, and says what to run', () => {
    const folder = temporaryFolder('generate');
    for (const part of ['src/events/generate.ts', 'src/events/schemas.ts', 'src/events/generated.ts', 'schemas']) {
      cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    }
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [join(folder, 'src/events/generate.ts'), ...args], { encoding: 'utf8' });
    const schema = join(folder, 'schemas/note-event.avsc');
    writeFileSync(schema, readFileSync(schema, 'utf8').replace('"noteType"', '"typeOfNote"'));
    const stale = run('--check');
    assert.equal(stale.status, 1);
    assert.match(stale.stderr, /npm run generate/);
    assert.equal(run().status, 0);
    assert.equal(run('--check').status, 0);
  });
});
