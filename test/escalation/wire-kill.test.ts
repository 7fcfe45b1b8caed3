/** If this fails, a crash of the escalator between a provider's answer and the commit is on the provider's bill twice, or loses a note. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureTopics, openTransport } from '../../src/commands/open-transport.ts';
import { loadConfig } from '../../src/config.ts';
import { createEntitiesCodec } from '../../src/events/entities-event.ts';
import { readAll } from '../contract/harness.ts';
import { cleanEnvironment } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { KEY } from '../teachers/support.ts';
import { escalated, noteOf } from './scripted.ts';
import { billsOf, endedOf, planOf, seenOf, textOf, wire } from './wire-stage.ts';

const ANSWERED = ['one', 'two', 'three', 'four', 'five', 'six'];
/** One refusal among them, which is paid for too, and one request that is under way at the kill. */
const NAMES = ['slow', ...ANSWERED, 'refused'];
const folder = temporaryFolder('wire-kill');
const state = join(folder, 'state');
const children: ChildProcess[] = [];

after(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** The role as its user runs it. */
function startRole(env: NodeJS.ProcessEnv, ...args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [join(ROOT, 'src/main.ts'), 'run', '--role', 'escalator', '--quiet', ...args], {
    env: cleanEnvironment(env),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.push(child);
  return child;
}

function storedReplies(): number {
  try {
    const database = new DatabaseSync(join(state, 'state.sqlite'), { readOnly: true });
    try {
      return Number(database.prepare('SELECT count(*) AS replies FROM reply').get()?.replies);
    } finally {
      database.close();
    }
  } catch {
    return 0; // not made yet
  }
}

describe('killing the escalator over the wire', { timeout: 60_000 }, () => {
  it('between reply and commit: the provider bills each request once, and every note has one end', async t => {
    const wired = await wire('openai', NAMES.map(textOf), planOf({ refused: ['refusal'], slow: ['hang'] }));
    const env = {
      CLINSTREAM_DATA: join(folder, 'log'),
      CLINSTREAM_ESCALATION_STATE: state,
      CLINSTREAM_ESCALATION_TEACHERS: JSON.stringify([
        {
          name: 'first',
          kind: 'openai',
          model: 'gpt-4o-mini-2024-07-18',
          baseUrl: `${wired.emulator.url}/v1`,
          keyFrom: 'OPENAI_API_KEY',
        },
      ]),
      CLINSTREAM_ESCALATION_TASKS: JSON.stringify({ symptom: { rate: 0.2, teachers: ['first'] } }),
      CLINSTREAM_ESCALATION_CONCURRENCY: '16',
      CLINSTREAM_EGRESS_ALLOW: '127.0.0.1',
      OPENAI_API_KEY: KEY,
    };
    const config = loadConfig({ env });
    const log = await openTransport(config, { create: true, now: Date.now });
    t.after(log.close);
    await ensureTopics(log, config);
    const { escalations: topic, entities, review, deadLetters } = config.topics;
    await log.append(
      await Promise.all(NAMES.map(name => escalated(noteOf(name, { text: textOf(name), patientId: 'p' }), { topic }))),
    );
    // the first note waits, and what is answered behind it is not committed before it: the kill comes between
    const child = startRole(env);
    const hung = wired.emulator.asked.until(() => seenOf(wired, textOf('slow')).length === 1);
    while (child.exitCode === null && storedReplies() < NAMES.length - 1) await sleep(20);
    assert.equal(child.exitCode, null, 'it is at work');
    await hung;
    child.kill('SIGKILL');
    if (child.signalCode === null) await once(child, 'exit');
    assert.equal(child.signalCode, 'SIGKILL');
    assert.equal(wired.emulator.asked.billed().size, NAMES.length - 1, 'those were paid for');
    for (const each of [entities, review]) assert.deepEqual(await readAll(log, each), [], 'and nothing was committed');

    const [exit] = await once(startRole(env, '--until-drained'), 'exit');
    assert.equal(exit, 0);
    for (const name of NAMES) assert.equal(billsOf(wired, textOf(name)), 1, `${name} was billed once`);
    assert.equal(wired.emulator.asked.all.length, NAMES.length + 1, 'only the one that hung was asked again');
    const codec = createEntitiesCodec();
    const revised = await Promise.all((await readAll(log, entities)).map(record => codec.decode(record.value)));
    assert.deepEqual(
      revised.map(each => [each.noteId, each.revision]),
      NAMES.filter(name => name !== 'refused').map(name => [`n-${name}`, 2]),
      'in the order of their patient',
    );
    assert.deepEqual([(await readAll(log, review)).length, await readAll(log, deadLetters)], [1, []]);
    const asked = readFileSync(join(state, 'audit.jsonl'), 'utf8').match(/"event":"asked"/g);
    assert.equal(asked?.length, NAMES.length + 1, 'all that was sent is in the audit trail, the one cut off too');
    assert.deepEqual(
      endedOf(state, 'n-slow').map(each => each.outcome),
      ['OK'],
    );
  });
});
