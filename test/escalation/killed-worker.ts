/** An escalator in a process of its own, for kill.test.ts: its teacher writes down each time that it is paid. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedTransport } from '../../src/streams/embedded/embedded-transport.ts';
import { hang, reply, Scripted } from './scripted.ts';
import { stage } from './stage.ts';

const [log = '', state = '', payments = '', round = '', mode = ''] = process.argv.slice(2);

const teacher = new Scripted('paid', async ({ key, text }, _, signal) => {
  if (mode === 'hold' && text.startsWith('Note slow:')) return hang(signal);
  await sleep(mode === 'go' ? 5 : 0);
  appendFileSync(payments, `${round} ${key.textSha256}\n`);
  return reply('headache');
});
const transport = new EmbeddedTransport({ directory: log, create: false, now: Date.now });
const staged = await stage(transport, {
  teachers: [teacher],
  directory: state,
  requestMs: 3_600_000,
  // held, the first note waits, and what is answered behind it is not committed before it: a kill comes between
  run: { transactionMs: 40 },
});
await staged.finish();
await transport.close();
