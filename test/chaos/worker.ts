/**
 * The tagger role as `run` starts it, in a process of its own that can stop itself: at the given occurrence of a phase it freezes
 * where it stands (SIGSTOP of itself, so nothing after that line has run), and is awake again at SIGCONT.
 * Says on standard output, a JSON line each: {frozen: phase}, and the codes of what failed.
 */
import { writeSync } from 'node:fs';
import { openCodecs, openTransport } from '../../src/commands/open-transport.ts';
import { serveModel } from '../../src/commands/serve-model.ts';
import { aborted, onInterrupt } from '../../src/commands/signals.ts';
import { startTagger } from '../../src/commands/tagger-role.ts';
import { loadConfig } from '../../src/config.ts';
import { type Observer, unobserved } from '../../src/core/facts.ts';

const { CHAOS_FREEZE = '', ...env } = process.env;
const [phase, occurrence] = CHAOS_FREEZE.split(':');
let left = Number(occurrence);

const say = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`);
const observe: Observer = fact => {
  if (fact.kind === 'transaction.failed') say({ failed: fact.code });
  if (fact.kind === 'group.unsettled') say({ unsettled: fact.code });
  if (fact.kind === 'group.settled') say({ settled: 'group' });
  if (fact.kind !== 'partition.phase' || fact.phase !== phase || --left !== 0) return;
  say({ frozen: phase });
  process.kill(process.pid, 'SIGSTOP');
};

const config = loadConfig({ env });
const interrupt = onInterrupt();
const closers: (() => Promise<void>)[] = [];
try {
  const transport = await openTransport(config, { create: false, now: Date.now });
  closers.push(transport.close);
  const codecs = await openCodecs(config, Date.now, { toTag: true });
  const serving = await serveModel(config, unobserved);
  closers.push(serving.stop);
  const running = await startTagger(config, { transport, codecs, serving, observe, now: Date.now });
  await Promise.race([aborted(interrupt.signal), running.done]);
  await running.stop();
  await running.done;
} catch (error) {
  say({ ended: (error as { code?: unknown }).code ?? String(error) });
  process.exitCode = 5;
} finally {
  for (const close of closers.reverse()) await close();
  interrupt.dispose();
}
