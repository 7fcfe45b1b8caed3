/** The tagger role: notes in; entities, escalations and dead letters out. Used by `run` and by the demo. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import type { Doubt } from '../core/doubt.ts';
import type { Observer } from '../core/facts.ts';
import type { EventCodecs } from '../events/codecs.ts';
import { type Running, runProcessor } from '../streams/runner.ts';
import type { Transport } from '../streams/transport.ts';
import type { Tagged } from '../tagging/tagger.ts';
import { TaggerProcessor } from '../tagging/tagger-processor.ts';
import { escalationBytes, revisionBytes } from './record-bytes.ts';
import type { Serving } from './serve-model.ts';

export const TAGGER_ROLE = 'tagger';

/** @throws StreamError when the group is busy or a topic is missing. */
export function startTagger(
  config: Config,
  parts: {
    transport: Transport;
    codecs: EventCodecs;
    serving: Serving;
    /** What a teacher should decide of a note; without it nothing is escalated. */
    doubts?: (tagged: Tagged) => readonly Doubt[];
    observe: Observer;
    now: () => number;
  },
): Promise<Running> {
  const { transport, codecs, serving, doubts, observe, now } = parts;
  const { topics } = config;
  const processor = new TaggerProcessor({
    tagger: serving.tagger,
    model: serving.model.identity,
    notes: codecs.notes(topics.notes),
    entities: codecs.entities(topics.entities),
    topics,
    maxEntitiesBytes: revisionBytes(config),
    ...(doubts === undefined
      ? {}
      : {
          escalation: {
            doubts,
            escalations: codecs.escalations(topics.escalations),
            reviews: codecs.reviews(topics.review),
            topics,
            maxBytes: escalationBytes(config),
          },
        }),
    now,
    observe,
  });
  return runProcessor({
    ...config.stream,
    transport,
    processor,
    topics: [topics.notes],
    outputs: [
      topics.entities,
      topics.deadLetters,
      ...(doubts === undefined ? [] : [topics.escalations, topics.review]),
    ],
    observe,
    sleep: ms => sleep(ms),
  });
}
