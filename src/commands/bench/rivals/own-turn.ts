/** clinstream's own turn: the notes from a topic through the tagger role to the last commit, exactly once, as `run` does it. */
import type { Config } from '../../../config.ts';
import { unobserved } from '../../../core/facts.ts';
import type { Note } from '../../../core/note.ts';
import type { Io } from '../../io.ts';
import { appendNotes } from '../../produce.ts';
import { type Serving, serveModel } from '../../serve-model.ts';
import { startTagger } from '../../tagger-role.ts';
import { embedded, isJoined, onKafka, type Place } from '../place.ts';
import { spanName, type Turn } from './script.ts';

/** As many as the rivals' scripts read before their clock starts. */
const WARM_UP = 8;

/** On the embedded log, or on the cluster that the configuration names. A fresh model each turn, as the rivals have. */
export async function ownTurn(config: Config, notes: readonly Note[], io: Io): Promise<Turn> {
  const serving = await serveModel(config, unobserved);
  try {
    for (const { text } of notes.slice(0, WARM_UP)) await serving.tagger.tag(text);
    const at = config.transport === 'kafka' ? onKafka : embedded;
    return await at(config, io, place => measure(place, serving, notes, io));
  } finally {
    await serving.stop();
  }
}

/** On Kafka the clock starts when the group is joined, as a rival's does: before partitions are taken over. */
async function measure(place: Place, serving: Serving, notes: readonly Note[], io: Io): Promise<Turn> {
  const { config, transport, codecs } = place;
  const topic = config.topics.notes;
  await appendNotes({ transport, codec: codecs.notes(topic), topic, now: io.now }, notes);
  let began = config.transport === 'kafka' ? 0 : performance.now();
  const running = await startTagger(config, {
    transport,
    codecs,
    serving,
    observe: fact => {
      if (isJoined(fact)) began ||= performance.now();
    },
    now: io.now,
  });
  await Promise.race([running.subscription.drained(), running.done]);
  const seconds = (performance.now() - began) / 1000;
  await running.stop();
  await running.done;
  return { seconds, spans: await spansOf(place), versions: {} };
}

async function spansOf({ config, transport, codecs }: Place): Promise<Map<string, readonly string[]>> {
  const topic = config.topics.entities;
  const codec = codecs.entities(topic);
  const spans = new Map<string, readonly string[]>();
  for await (const { value } of transport.read(topic, { from: 'beginning', untilEnd: true })) {
    const { noteId, entities } = await codec.decode(value);
    spans.set(
      noteId,
      entities.map(({ task, start, end }) => spanName([task, start, end])),
    );
  }
  return spans;
}
