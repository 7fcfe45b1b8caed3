/**
 * The independent reader: kafkajs and the registry's library alone, none of our transport and none of our codecs. Reads what is
 * committed and says which notes have no end, or two, and where a patient's notes are out of order.
 */
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { client } from '../kafka/client.ts';
import { type Committed, readCommitted } from '../kafka/read-committed.ts';
import type { Sent } from './notes.ts';

export interface Findings {
  readonly entities: number;
  readonly deadLetters: number;
  readonly missing: readonly string[];
  readonly doubled: readonly string[];
  readonly outOfOrder: readonly string[];
  /** Inputs that stand on the topic once more: the feeder could not know whether the broker had taken them before it went away. */
  readonly fedAgain: number;
  /** The longest time between two entities events while workers were restarted one after the other, and in as long a time before; ms. */
  readonly longestGap: { readonly rolling: number; readonly before: number };
  /** Dead letters with another code, or other bytes, than their note must have. */
  readonly wrong: readonly string[];
  /** For each note of `doubled` or `missing`, where its inputs and its ends stand, when they were written and by whom. */
  readonly evidence: readonly string[];
}

export async function verify(
  cluster: { bootstrap: string; registryUrl: string },
  topics: { notes: string; entities: string; deadLetters: string },
  notes: ReadonlyMap<string, Sent>,
  /** When workers were restarted one after the other; milliseconds since the Unix epoch. */
  rolling: { readonly from: number; readonly to: number },
): Promise<Findings> {
  const kafka = client(cluster.bootstrap, {}, 5);
  const registry = new SchemaRegistry({ host: cluster.registryUrl });
  const inputs = new Map<string, number>();
  const traces = new Map<string, string[]>();
  const trace = (noteId: string, topic: string, record: Committed): void => {
    traces.set(noteId, [...(traces.get(noteId) ?? []), standing(topic, record)]);
  };
  for (const record of await readCommitted(kafka, topics.notes)) {
    const noteId = String(record.headers?.n);
    trace(noteId, topics.notes, record);
    inputs.set(noteId, (inputs.get(noteId) ?? 0) + 1);
  }
  const ends = new Map<string, number>();
  const end = (noteId: string): void => void ends.set(noteId, (ends.get(noteId) ?? 0) + 1);
  const last = new Map<string, number>();
  const outOfOrder: string[] = [];
  const wrong: string[] = [];
  let [entities, deadLetters] = [0, 0];

  const times: number[] = [];
  for (const record of await readCommitted(kafka, topics.entities)) {
    const { value, timestamp } = record;
    times.push(Number(timestamp));
    const event = (await registry.decode(value as Buffer)) as { noteId: string; patientId: string };
    entities++;
    end(event.noteId);
    trace(event.noteId, topics.entities, record);
    if (notes.get(event.noteId)?.code !== undefined) wrong.push(event.noteId);
    const number = Number(event.noteId.slice('note-'.length));
    if (inputs.get(event.noteId) === 1 && number <= (last.get(event.patientId) ?? -1)) outOfOrder.push(event.noteId);
    last.set(event.patientId, Math.max(number, last.get(event.patientId) ?? -1));
  }
  for (const record of await readCommitted(kafka, topics.deadLetters)) {
    const { value, headers } = record;
    const noteId = String(headers?.n);
    deadLetters++;
    end(noteId);
    trace(noteId, topics.deadLetters, record);
    const note = notes.get(noteId);
    const untouched =
      note?.record.value === null ? value === null : value !== null && note?.record.value?.equals(value);
    if (note?.code !== String(headers?.dl_code) || untouched !== true) wrong.push(noteId);
  }
  const missing = [...notes.keys()].filter(noteId => (ends.get(noteId) ?? 0) < Math.max(1, inputs.get(noteId) ?? 0));
  const doubled = [...ends].filter(([noteId, count]) => count > (inputs.get(noteId) ?? 0)).map(([noteId]) => noteId);
  return {
    entities,
    deadLetters,
    missing,
    doubled,
    evidence: [...missing, ...doubled].map(noteId => `${noteId}: ${(traces.get(noteId) ?? []).join('; ')}`),
    fedAgain: [...inputs.values()].reduce((sum, count) => sum + count - 1, 0),
    outOfOrder,
    longestGap: {
      rolling: longestGap(times, rolling.from, rolling.to),
      before: longestGap(times, 2 * rolling.from - rolling.to, rolling.from),
    },
    wrong,
  };
}

/** Such as "clinical.entities/2 @ 411, 16:02:11.345, producer 12 epoch 3". */
function standing(topic: string, { partition, offset, timestamp, batchContext }: Committed): string {
  const at = new Date(Number(timestamp)).toISOString().slice(11, 23);
  const writer = `producer ${batchContext?.producerId} epoch ${batchContext?.producerEpoch}`;
  return `${topic}/${partition} @ ${offset}, ${at}, ${writer}`;
}

/** Between neighbours in time, from one moment to another. */
function longestGap(times: readonly number[], from: number, to: number): number {
  const within = [from, ...times.filter(time => time > from && time < to).sort((a, b) => a - b), to];
  return within.slice(1).reduce((longest, time, i) => Math.max(longest, time - (within[i] as number)), 0);
}
