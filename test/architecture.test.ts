/** If this fails, the house has lost its walls: a folder reaches where it may not, or two files need each other. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, it } from 'node:test';

const SRC = resolve(import.meta.dirname, '../src');

/** What each folder may import besides itself; `wiring` is the only place where parts meet. */
const MAY_IMPORT: Readonly<Record<string, readonly string[] | 'all'>> = {
  core: [],
  events: ['core'],
  streams: ['core'],
  text: ['core'],
  model: ['core'],
  tagging: ['core', 'events', 'text', 'model'],
  teachers: ['core', 'text'],
  escalation: ['core', 'events', 'text', 'teachers'],
  evaluation: ['core', 'text'],
  distill: ['core', 'text', 'model', 'teachers', 'evaluation'],
  downstream: ['core', 'events'],
  telemetry: ['core'],
  benchmark: ['core', 'events', 'evaluation', 'teachers'],
  wiring: 'all',
};

const files = globSync('**/*.ts', { cwd: SRC }).sort();

function folderOf(file: string): string {
  const [first = '', ...rest] = file.split('/');
  return rest.length === 0 || first === 'commands' ? 'wiring' : first;
}

/** Every relative import of a file, static, re-exported, dynamic or by `new URL(…, import.meta.url)`. */
function importsOf(file: string): string[] {
  const source = readFileSync(join(SRC, file), 'utf8');
  const found = source.matchAll(/(?:from\s+|import\s*\(?\s*|new URL\(\s*)['"](\.{1,2}\/[^'"]+\.ts)['"]/g);
  return [...found].map(match => relative(SRC, resolve(SRC, dirname(file), match[1] ?? '')));
}

describe('architecture', () => {
  it('knows every folder of src', () => {
    const unknown = [...new Set(files.map(folderOf))].filter(folder => !(folder in MAY_IMPORT));
    assert.deepEqual(unknown, []);
    assert.ok(files.length > 10, 'the glob found the sources');
  });

  it('keeps imports inside the table', () => {
    const wrong = files.flatMap(file => {
      const allowed = MAY_IMPORT[folderOf(file)];
      if (allowed === 'all' || allowed === undefined) return [];
      return importsOf(file)
        .filter(target => folderOf(target) !== folderOf(file) && !allowed.includes(folderOf(target)))
        .map(target => `${file} imports ${target}`);
    });
    assert.deepEqual(wrong, []);
  });

  it('has no import cycle', () => {
    const done = new Set<string>();
    const walk = (file: string, path: readonly string[]): string[] => {
      if (path.includes(file)) return [[...path.slice(path.indexOf(file)), file].join(' -> ')];
      if (done.has(file)) return [];
      const cycles = importsOf(file).flatMap(target => walk(target, [...path, file]));
      done.add(file);
      return cycles;
    };
    assert.deepEqual(
      files.flatMap(file => walk(file, [])),
      [],
    );
  });

  it('exports no defaults and no wildcards', () => {
    const wrong = files.filter(file => /^export (default|\*)/m.test(readFileSync(join(SRC, file), 'utf8')));
    assert.deepEqual(wrong, []);
  });
});
