/** The way of a note by the command line, the same on every transport. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type clinstream, rows } from '../support/cli.ts';

/** Fresh topics, and the commands on them. */
export interface Place {
  readonly names: {
    readonly notes: string;
    readonly entities: string;
    readonly deadLetters: string;
    readonly group: string;
  };
  call(args: readonly string[], input?: string): ReturnType<typeof clinstream>;
}

export function note(noteId: string, text: string, fields: object = {}): string {
  return JSON.stringify({
    noteId,
    patientId: 'p-1',
    noteType: 'progress',
    authoredAt: '2026-01-02T03:04:05Z',
    text,
    deidentification: { method: 'synthetic', version: '1' },
    ...fields,
  });
}

/** Of the records of a topic, in order. */
export async function noteIds(call: Place['call'], topic: string): Promise<string[]> {
  const { code, stdout } = await call(['consume', topic, '--until-end']);
  assert.equal(code, 0);
  return rows<Consumed>(stdout).map(each => String(each.value.noteId));
}

interface Consumed {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Record<string, unknown>;
}

interface Letter {
  readonly at: string;
  readonly code: string;
  readonly categories: readonly string[];
  readonly replays: number;
}

export function wayOfANote(name: string, open: () => Promise<Place>, skip: string | false = false): void {
  describe(`clinstream on ${name}`, { skip, timeout: 240_000 }, () => {
    it('takes notes to entities, and shows topics, lag and headers', async () => {
      const { call, names } = await open();
      const lines = [
        note('n-1', 'Takes aspirin.'),
        note('n-2', 'Fever.', { noteVersion: 2 }),
        '{"noteId": "n-3", "text": "CANARY"}',
        'CANARY',
      ];
      const produced = await call(['produce'], lines.join('\n'));
      assert.equal(produced.code, 3, 'two lines were refused');
      assert.match(produced.stderr, /stdin:3: .*patientId/);
      assert.match(produced.stderr, /stdin:4: not JSON/);
      assert.ok(!produced.stderr.includes('CANARY'));
      assert.equal((await call(['run', '--until-drained', '--quiet'])).code, 0);
      const entities = rows<Consumed>((await call(['consume', names.entities, '--until-end'])).stdout);
      assert.deepEqual(
        entities.map(each => [each.key, each.value.noteId, each.value.noteVersion, each.value.status]),
        [
          ['p-1', 'n-1', 1, 'FINAL'],
          ['p-1', 'n-2', 2, 'FINAL'],
        ],
      );
      const [first] = entities;
      assert.equal(first?.headers.ce_type, 'clinstream.v1.EntitiesEvent');
      assert.equal(first?.headers.ce_id, first?.value.eventId);
      const [source] = rows<Consumed>((await call(['consume', names.notes, '--until-end'])).stdout);
      assert.equal(
        source?.headers.traceparent?.split('-')[1],
        first?.headers.traceparent?.split('-')[1],
        'one trace from note to entities',
      );
      const topics = rows<{ topic: string; records: number; lag: Record<string, number> }>(
        (await call(['topics', 'list', '--format', 'jsonl'])).stdout,
      );
      const of = (name: string) => topics.find(each => each.topic === name);
      assert.deepEqual([of(names.deadLetters)?.records, of(names.deadLetters)?.lag], [0, {}]);
      assert.ok((of(names.entities)?.records ?? 0) >= 2);
      assert.deepEqual(of(names.notes)?.lag, { [names.group]: 0 });
    });

    it('lists dead letters without their content, and replays them', async () => {
      const { call } = await open();
      await call(
        ['produce'],
        [note('n-1', 'call CANARY at 555-234-5678'), note('n-2', 'CANARY', { deidentification: null })].join('\n'),
      );
      await call(['run', '--until-drained', '--quiet']);
      const listed = await call(['dead-letters', 'list']);
      assert.ok(!listed.stdout.includes('CANARY') && !listed.stdout.includes('5678'));
      const letters = rows<Letter>(listed.stdout);
      assert.deepEqual(
        letters.map(each => [each.code, each.categories]),
        [
          ['NOTE_LOOKS_IDENTIFIED', ['phone']],
          ['NOTE_NOT_ATTESTED', []],
        ],
      );
      assert.equal((await call(['dead-letters', 'replay', '--code', 'NOTE_NOT_ATTESTED'])).stdout, '1 replayed\n');
      await call(['run', '--until-drained', '--quiet']);
      const after = rows<Letter>((await call(['dead-letters', 'list'])).stdout);
      assert.deepEqual(
        after.map(each => each.replays),
        [0, 0, 1],
        'still not attested: back again, and counted',
      );
      assert.equal((await call(['dead-letters', 'replay', '--at', after[0]?.at ?? ''])).stdout, '1 replayed\n');
      for (const command of ['list', 'replay']) {
        const refused = await call(['dead-letters', command, '--at', 'nonsense']);
        assert.deepEqual([refused.code, /--at .*partition:offset/.test(refused.stderr)], [2, true], refused.stderr);
      }
    });
  });
}
