/** If this fails, a reader would see a mention in the wrong place, or a note that is not the note. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { segments } from '../../../src/commands/render/segments.ts';
import { printable, renderTerminal } from '../../../src/commands/render/terminal.ts';
import type { Entity } from '../../../src/core/span.ts';

const slicer = (points: readonly string[]) => (start: number, end: number) => points.slice(start, end).join('');

const notes = fc
  .array(fc.constantFrom('a', ' ', '💊', '\n', 'é', 'm'), { minLength: 1, maxLength: 30 })
  .chain(points => {
    const spans = fc.array(
      fc
        .tuple(fc.nat(points.length - 1), fc.nat(points.length), fc.constantFrom('medication', 'disease'))
        .map(([a, b, task]) => {
          const start = Math.min(a, b);
          const end = Math.max(a + 1, b);
          return { task, start, end, text: points.slice(start, end).join(''), confidence: 0.5 } satisfies Entity;
        }),
      { maxLength: 6 },
    );
    return fc.record({ points: fc.constant(points), entities: spans });
  });

describe('segments', () => {
  it('join to the note, and each lies inside exactly the mentions that cover it', () => {
    fc.assert(
      fc.property(notes, ({ points, entities }) => {
        const parts = segments(slicer(points), points.length, entities);
        assert.equal(parts.map(part => part.text).join(''), points.join(''));
        let at = 0;
        for (const part of parts) {
          const end = at + [...part.text].length;
          const covering = entities.filter(entity => entity.start < end && entity.end > at);
          assert.deepEqual(new Set(part.entities), new Set(covering));
          at = end;
        }
      }),
    );
  });

  it('brackets mentions where there is no colour, and shows escape sequences instead of obeying them', () => {
    const points = [...'take \u001b[2Jaspirin'];
    const entity = { task: 'medication', start: 9, end: 16, text: 'aspirin', confidence: 0.9 };
    const parts = segments(slicer(points), points.length, [entity]);
    assert.equal(renderTerminal(parts, ['medication'], false), 'take \\x1b[2J[aspirin|medication]');
    assert.equal(printable('a\r\n\tb\u009b'), 'a\n\tb\\x9b');
  });
});
