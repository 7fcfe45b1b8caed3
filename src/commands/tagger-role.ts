/** The tagger role: notes topic in; entities and dead letters out. Used by `run` and by the demo. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import type { Observer } from '../core/facts.ts';
import type { EventCodecs } from '../events/codecs.ts';
import { type Running, runProcessor } from '../streams/runner.ts';
import type { Transport } from '../streams/transport.ts';
import { TaggerProcessor } from '../tagging/tagger-processor.ts';
import type { Serving } from './serve-model.ts';

export const TAGGER_ROLE = 'tagger';

/** @throws StreamError when the group is busy or a topic is missing. */
export function startTagger(
  config: Config,
  parts: { transport: Transport; codecs: EventCodecs; serving: Serving; observe: Observer; now: () => number },
): Promise<Running> {
  const { transport, codecs, serving, observe, now } = parts;
  const processor = new TaggerProcessor({
    tagger: serving.tagger,
    model: serving.model.identity,
    notes: codecs.notes(config.topics.notes),
    entities: codecs.entities(config.topics.entities),
    topics: config.topics,
    now,
    observe,
  });
  return runProcessor({
    ...config.stream,
    transport,
    processor,
    topics: [config.topics.notes],
    outputs: [config.topics.entities, config.topics.deadLetters],
    observe,
    sleep: ms => sleep(ms),
  });
}
