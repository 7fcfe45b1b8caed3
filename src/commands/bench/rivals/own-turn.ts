/**
 * clinstream's own turn: the notes from a topic through the tagger role to the last commit, exactly once, as `run` does it. A process of its
 * own, as every rival's script is, and it says what they say: `node own-turn.ts FILE`, a file of {config, notes}.
 */
import { readFileSync } from 'node:fs';
import type { Config } from '../../../config.ts';
import { unobserved } from '../../../core/facts.ts';
import type { Note } from '../../../core/note.ts';
import { EXIT } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { appendNotes } from '../../produce.ts';
import { versionsOf } from '../../provenance.ts';
import { type Serving, serveModel } from '../../serve-model.ts';
import { Interrupted } from '../../signals.ts';
import { startTagger } from '../../tagger-role.ts';
import { allOf, embedded, isJoined, onKafka, type Place, readAll, stoppedSoon } from '../place.ts';
import { ROOT } from '../program.ts';

/** As many as the rivals' scripts read before their clock starts. */
const WARM_UP = 8;

/** What the file holds. */
export interface OwnTurn {
  /** The embedded log, or the cluster that it names. */
  readonly config: Config;
  readonly notes: readonly Note[];
}

async function takeTurn({ config, notes }: OwnTurn, io: Pick<Io, 'now' | 'stderr'>): Promise<void> {
  const serving = await serveModel(config, unobserved);
  try {
    for (const { text } of notes.slice(0, WARM_UP)) await serving.tagger.tag(text);
    const at = config.transport === 'kafka' ? onKafka : embedded;
    await at(config, io, place => measure(place, serving, notes, io));
  } finally {
    await serving.stop();
  }
}

/** On Kafka the clock starts when the group is joined, as a rival's does: before partitions are taken over. */
async function measure(place: Place, serving: Serving, notes: readonly Note[], io: Pick<Io, 'now'>): Promise<void> {
  const { config, transport, codecs, interrupted } = place;
  const topic = config.topics.notes;
  await appendNotes({ transport, codec: codecs.notes(topic), topic, now: io.now }, notes);
  let began = config.transport === 'kafka' ? 0 : performance.now();
  const running = await startTagger(stoppedSoon(config), {
    transport,
    codecs,
    serving,
    observe: fact => {
      if (isJoined(fact)) began ||= performance.now();
    },
    now: io.now,
  });
  const seconds = ((await readAll(running, interrupted)) - began) / 1000;
  for (const row of await rowsOf(place)) say(row);
  say({ seconds, versions: versionsOf(ROOT) });
}

async function rowsOf({ config, transport, codecs }: Place): Promise<object[]> {
  const topic = config.topics.entities;
  const codec = codecs.entities(topic);
  const events = (await allOf(transport, topic)).map(({ value }) => codec.decode(value));
  return (await Promise.all(events)).map(({ noteId, entities }) => ({
    id: noteId,
    spans: entities.map(({ task, start, end }) => [task, start, end]),
  }));
}

function say(row: object): void {
  process.stdout.write(`${JSON.stringify(row)}\n`);
}

const [, program, file] = process.argv;
if (program === import.meta.filename && file !== undefined)
  await takeTurn(JSON.parse(readFileSync(file, 'utf8')) as OwnTurn, { now: Date.now, stderr: process.stderr }).catch(
    (error: unknown) => {
      if (!(error instanceof Interrupted)) throw error;
      process.exitCode = EXIT.interrupted;
    },
  );
