/** If this fails, thresholds that were measured with another model, or are wrong, would decide which notes leave the machine. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadModel } from '../../src/model/manifest.ts';
import { loadRouting, parseRouting, ROUTING_FILE, type Routing } from '../../src/model/routing.ts';
import { directoryOf, MODEL_DIRECTORY, SHIPPED } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';

const { identity } = loadModel(MODEL_DIRECTORY);
const committed = readFileSync(join(MODEL_DIRECTORY, ROUTING_FILE), 'utf8');

describe('routing of a model', () => {
  it('is there for the committed models and all their tasks, and was measured with them', () => {
    for (const name of SHIPPED) {
      const routing = loadRouting(loadModel(directoryOf(name)));
      assert.deepEqual(Object.keys(routing?.tasks ?? {}), ['medication', 'disease', 'symptom']);
      for (const { rates } of Object.values(routing?.tasks ?? {})) assert.equal(rates.length, 8);
    }
  });

  it('may be absent, and may not be that of another model', () => {
    const directory = temporaryFolder('routing');
    assert.equal(loadRouting({ directory, identity }), null);
    writeFileSync(join(directory, ROUTING_FILE), committed);
    assert.notEqual(loadRouting({ directory, identity }), null);
    const other = { ...identity, sha256: '0'.repeat(64) };
    assert.throws(() => loadRouting({ directory, identity: other }), {
      code: 'ROUTING_OF_ANOTHER_MODEL',
      message: /distill doubt/,
    });
  });

  it('is refused when it says less or more than it must, naming the key', () => {
    const changed = (change: (routing: Routing & Record<string, unknown>) => void): string => {
      const routing = JSON.parse(committed) as Routing & Record<string, unknown>;
      change(routing);
      return JSON.stringify(routing);
    };
    const rates = (routing: Routing): { rate: number; threshold: number }[] =>
      (routing.tasks.disease?.rates ?? []) as { rate: number; threshold: number }[];
    const cases: readonly (readonly [RegExp, string])[] = [
      [/not JSON/, '{'],
      [/format/, changed(routing => Object.assign(routing, { format: 2 }))],
      [/nrecognized/, changed(routing => Object.assign(routing, { extra: 1 }))],
      [/model\.sha256/, changed(routing => Object.assign(routing.model, { sha256: 'x' }))],
      [/tasks\.disease\.rates: rates must rise/, changed(routing => void rates(routing).reverse())],
      [/tasks\.disease\.rates\.0\.rate/, changed(routing => Object.assign(rates(routing)[0] as object, { rate: 0 }))],
      [/tasks\.disease\.rates/, changed(routing => void rates(routing).splice(0))],
    ];
    for (const [message, text] of cases) {
      assert.throws(() => parseRouting(text, 'r.json'), { code: 'ROUTING_INVALID', message });
    }
  });
});
