/** If these fail, nobody can say afterwards what left the machine, or something leaves that nobody wrote down. */
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type AuditEntry, AuditTrail } from '../../src/escalation/audit.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('audit');
const ASKED: AuditEntry = {
  event: 'asked',
  request: 'r-1',
  teacher: 'first',
  provider: 'openai',
  host: 'api.openai.com',
  model: 'm-1',
  task: 'symptom',
  noteId: 'n-1',
  noteVersion: 2,
  noteSha256: 'aa',
  sectionSha256: 'bb',
  promptSha256: 'cc',
};

describe('the audit trail', () => {
  it("becomes its owner's alone when others could read it", () => {
    const path = join(folder, 'opened-up.jsonl');
    writeFileSync(path, '');
    chmodSync(path, 0o644);
    new AuditTrail(path, () => 0).close();
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it('is one JSON line an event, appended to what was there, by several processes', () => {
    const path = join(folder, 'trail', 'audit.jsonl');
    const [one, other] = [new AuditTrail(path, () => 0), new AuditTrail(path, () => 1_000)];
    one.append(ASKED);
    other.append({
      ...ASKED,
      event: 'ended',
      outcome: 'OK',
      inputTokens: 1,
      outputTokens: 2,
      usd: 0.5,
      estimated: false,
      ms: 7,
    });
    one.append(ASKED);
    one.close();
    other.close();
    const lines = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as object);
    assert.deepEqual(lines, [
      { at: '1970-01-01T00:00:00.000Z', ...ASKED },
      {
        at: '1970-01-01T00:00:01.000Z',
        ...ASKED,
        event: 'ended',
        outcome: 'OK',
        inputTokens: 1,
        outputTokens: 2,
        usd: 0.5,
        estimated: false,
        ms: 7,
      },
      { at: '1970-01-01T00:00:00.000Z', ...ASKED },
    ]);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it('loses no line to one that was written in part, before it was opened or since', () => {
    const path = join(folder, 'torn.jsonl');
    const torn = '{"at":"1970-01-01T00:00:00.000Z","ev';
    writeFileSync(path, torn);
    const trail = new AuditTrail(path, () => 0);
    trail.append(ASKED);
    trail.append(ASKED);
    appendFileSync(path, torn);
    trail.append(ASKED);
    trail.close();
    const line = JSON.stringify({ at: '1970-01-01T00:00:00.000Z', ...ASKED });
    assert.deepEqual(readFileSync(path, 'utf8').split('\n'), [torn, line, line, torn, line, '']);
  });

  it('that cannot be written says so', () => {
    writeFileSync(join(folder, 'file'), '');
    assert.throws(() => new AuditTrail(join(folder, 'file', 'audit.jsonl'), () => 0), { code: 'AUDIT_UNWRITABLE' });
    const full = new AuditTrail('/dev/full', () => 0);
    assert.throws(() => full.append(ASKED), /ENOSPC.*nothing is sent without it/);
    full.close();
  });
});
