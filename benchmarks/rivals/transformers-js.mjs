/**
 * Rival: transformers.js, the shipped int8 graph, one note at a time, in a plain kafkajs consumer: eachMessage tags a note and sends what
 * it found, offsets are committed by kafkajs itself, at least once. Without --kafka, a plain loop over the file.
 *
 * Its tokenizer gives no offsets and its token classification pipeline cuts long texts off, so this does what one then does: words with
 * their places by the pre-tokenizer's rule, each word to its pieces, windows over those, and the model class below the pipeline.
 *
 * Out: a row {id, spans: [[task, start, end], …]} a note, then a row {seconds, versions}. The seconds run from the first line read to the
 * last row written; on Kafka from joining the group to the last answer that the broker has. Not start-up, loading or warm-up.
 */
import { once } from 'node:events';
import { createReadStream, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { AutoModelForTokenClassification, AutoTokenizer, env, Tensor } from '@huggingface/transformers';
import { Kafka, logLevel } from 'kafkajs';

const WARM_UP = 8;
/** BERT's pre-tokenizer: white space separates, a punctuation mark or a Han character is a word. */
const WORD = /[!-/:-@[-`{-~\p{P}\p{Script=Han}]|[^\s!-/:-@[-`{-~\p{P}\p{Script=Han}]+/gu;

const { values: options } = parseArgs({
  options: {
    notes: { type: 'string' },
    model: { type: 'string' },
    checkpoint: { type: 'string' },
    threads: { type: 'string' },
    kafka: { type: 'string' },
    topic: { type: 'string' },
    out: { type: 'string' },
    count: { type: 'string' },
  },
});

const manifest = JSON.parse(readFileSync(join(options.model, 'manifest.json'), 'utf8'));
const size = manifest.window.tokens - 2;
const step = size - manifest.window.overlap;
const special = manifest.specialTokens;
const heads = manifest.heads;

env.allowRemoteModels = false;
env.localModelPath = dirname(resolve(options.checkpoint));
const name = resolve(options.checkpoint).slice(env.localModelPath.length + 1);
const tokenizer = await AutoTokenizer.from_pretrained(name);
const model = await AutoModelForTokenClassification.from_pretrained(name, {
  dtype: 'int8',
  device: 'cpu',
  session_options: { intraOpNumThreads: Number(options.threads) },
});

/** Pieces of a text: ids, the word of each, and the words' places in code points. */
function piecesOf(text) {
  const [ids, words, starts, ends] = [[], [], [], []];
  let [unit, point] = [0, 0];
  for (const match of text.matchAll(WORD)) {
    point += points(text.slice(unit, match.index));
    const length = points(match[0]);
    unit = match.index + match[0].length;
    const own = tokenizer.encode(match[0], { add_special_tokens: false });
    if (own.length > 0) {
      for (const id of own) {
        ids.push(id);
        words.push(starts.length);
      }
      starts.push(point);
      ends.push(point + length);
    }
    point += length;
  }
  return { ids, words, starts, ends };
}

function points(text) {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** [start, end) of windows; the last is moved back to full length. */
function windowsOf(count) {
  const windows = [];
  for (let start = 0; count > 0; start += step) {
    if (start + size >= count) return [...windows, [Math.max(0, count - size), count]];
    windows.push([start, start + size]);
  }
  return windows;
}

/** Logits of one window, row-major [pieces + 2, heads]. */
async function run(ids) {
  const row = BigInt64Array.from([special.cls, ...ids, special.sep], BigInt);
  const shape = [1, row.length];
  const { logits } = await model({
    input_ids: new Tensor('int64', row, shape),
    attention_mask: new Tensor('int64', new BigInt64Array(row.length).fill(1n), shape),
  });
  return logits.data;
}

/** Spans of a note: [task, start, end] in code points. */
async function tag(text) {
  const { ids, words, starts, ends } = piecesOf(text);
  const windows = windowsOf(ids.length);
  const sums = new Float64Array(starts.length * heads.length);
  const counts = new Int32Array(starts.length);
  for (const [i, [start, end]] of windows.entries()) {
    const logits = await run(ids.slice(start, end));
    // neighbours share their overlap half and half
    const first = i === 0 ? start : Math.ceil((start + windows[i - 1][1]) / 2);
    const last = i + 1 === windows.length ? end : Math.ceil((windows[i + 1][0] + end) / 2);
    for (let piece = first; piece < last; piece++) {
      const word = words[piece];
      counts[word]++;
      for (let h = 0; h < heads.length; h++)
        sums[word * heads.length + h] += logits[(piece - start + 1) * heads.length + h];
    }
  }
  const letters = [...text];
  return heads
    .flatMap(({ task, temperature, threshold }, h) => {
      const inside = word =>
        1 / (1 + Math.exp(-sums[word * heads.length + h] / counts[word] / temperature)) >= threshold;
      return runs(letters, starts, ends, inside).map(([start, end]) => [task, start, end]);
    })
    .sort((a, b) => a[1] - b[1] || order(a[0]) - order(b[0]));
}

/** [start, end) of runs of chosen words with a letter or digit; a line end between two words ends a run. */
function runs(letters, starts, ends, chosen) {
  const found = [];
  let open = false;
  for (let word = 0; word < starts.length; word++) {
    if (!chosen(word)) {
      open = false;
      continue;
    }
    const before = open ? letters.slice(ends[word - 1], starts[word]).join('') : '\n';
    if (/[\n\r\u2028\u2029]/.test(before)) found.push([starts[word], ends[word]]);
    else found.at(-1)[1] = ends[word];
    open = true;
  }
  return found.filter(([start, end]) => /[\p{L}\p{N}]/u.test(letters.slice(start, end).join('')));
}

function order(task) {
  return heads.findIndex(head => head.task === task);
}

async function* notes() {
  for await (const line of createInterface({ input: createReadStream(options.notes) })) yield JSON.parse(line);
}

async function write(row) {
  if (!process.stdout.write(`${JSON.stringify(row)}\n`)) await once(process.stdout, 'drain');
}

/** @returns seconds */
async function loop() {
  const began = performance.now();
  for await (const { id, text } of notes()) await write({ id, spans: await tag(text) });
  return (performance.now() - began) / 1000;
}

/** @returns seconds */
async function consume() {
  const kafka = new Kafka({ brokers: options.kafka.split(','), logLevel: logLevel.ERROR });
  const [producer, consumer] = [kafka.producer(), kafka.consumer({ groupId: `${options.topic}-plain` })];
  await Promise.all([producer.connect(), consumer.connect()]);
  const [rows, done] = [[], Promise.withResolvers()];
  let began = 0;
  consumer.on(consumer.events.GROUP_JOIN, () => {
    began ||= performance.now();
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => done.reject(payload.error));
  await consumer.subscribe({ topic: options.topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      const { id, text } = JSON.parse(message.value.toString());
      const row = { id, spans: await tag(text) };
      await producer.send({ topic: options.out, messages: [{ key: message.key, value: JSON.stringify(row) }] });
      rows.push(row);
      if (rows.length === Number(options.count)) done.resolve();
    },
  });
  await done.promise;
  const seconds = (performance.now() - began) / 1000;
  await Promise.all([consumer.disconnect(), producer.disconnect()]);
  for (const row of rows) await write(row);
  return seconds;
}

let warm = 0;
for await (const { text } of notes()) {
  await tag(text);
  if (++warm === WARM_UP) break;
}
const seconds = options.kafka === undefined ? await loop() : await consume();
const { dependencies } = JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8'));
await write({ seconds, versions: { node: process.version.slice(1), ...dependencies } });
