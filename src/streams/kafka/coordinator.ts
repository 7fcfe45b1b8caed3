/**
 * Why no broker names the coordinator of a group or of a transactional id. kafkajs drops that answer and says only "not found", for
 * a missing ACL and for a broker that restarts alike; its debug log has it. So the question is put again by a client that listens.
 */
import { type Kafka, type LogEntry, logLevel } from 'kafkajs';
import type { StreamError } from '../stream-error.ts';
import { createKafka, type KafkaSettings } from './client.ts';
import { isCoordinatorMissing, toStreamError } from './kafka-error.ts';

/** As `toStreamError`; @param ask puts the question that failed, on the client it is given, and closes what it opened. */
export async function explain(
  error: unknown,
  doing: string,
  settings: KafkaSettings,
  ask: (kafka: Kafka) => Promise<unknown>,
): Promise<StreamError> {
  if (!isCoordinatorMissing(error)) return toStreamError(error, doing);
  let refused: unknown;
  const kafka = createKafka(settings, {
    logLevel: logLevel.DEBUG,
    logCreator:
      () =>
      ({ log }: LogEntry) => {
        const { type } = (log.error ?? {}) as { type?: unknown };
        if (typeof type === 'string' && type.endsWith('_AUTHORIZATION_FAILED')) refused = log.error;
      },
  });
  await ask(kafka).catch(() => {});
  kafka.closeConnections();
  return toStreamError(refused ?? error, doing);
}

export async function askForGroup(kafka: Kafka, group: string): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    await admin.describeGroups([group]);
  } finally {
    await admin.disconnect();
  }
}

/** Fences, as the take-over that failed would have. */
export async function askForTransactionalId(kafka: Kafka, transactionalId: string): Promise<void> {
  const producer = kafka.producer({ transactionalId });
  try {
    await producer.connect();
    await (await producer.transaction()).abort();
  } finally {
    await producer.disconnect();
  }
}
