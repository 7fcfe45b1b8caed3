/**
 * The one admin client of a transport, asked one question at a time: kafkajs's admin keeps what it knows of topics in one place, and
 * questions about different topics at once take it from each other. It also asks about every topic that it was ever asked about, so one
 * that was deleted since would spoil each answer: then a new admin is asked. Where a broker takes back within one question what it has
 * just said (a leader that is none any more), kafkajs swallows that and stumbles over null: then it is asked again. And kafkajs would connect again for a question that comes
 * after the end, and keep that connection for ever: so the end waits for the question that is out, and nothing is asked after it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';
import { StreamError } from '../stream-error.ts';
import { toStreamError } from './kafka-error.ts';

/** How often, and how long apart, it is asked while an election is under way. */
export const ELECTION = { attempts: 12, waitMs: 250 };

export class AdminConnection {
  readonly #kafka: Kafka;
  #admin: Admin;
  #turn: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  private constructor(kafka: Kafka, admin: Admin) {
    this.#kafka = kafka;
    this.#admin = admin;
  }

  static async open(kafka: Kafka): Promise<AdminConnection> {
    return new AdminConnection(kafka, await connect(kafka));
  }

  /** @throws StreamError CLOSED after `close`, and what `question` throws. */
  async ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    this.#requireOpen();
    return this.#inTurn(() => this.#ask(question));
  }

  /** kafkajs's admin believes for five minutes in the partitions that it once saw: from now on a new one is asked. */
  async renew(): Promise<void> {
    this.#requireOpen();
    return this.#inTurn(() => this.#replace());
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  #requireOpen(): void {
    if (this.#closed !== undefined) throw new StreamError('CLOSED', 'the connection to the brokers is closed');
  }

  async #ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    this.#requireOpen(); // it may have been closed while others were asked
    try {
      return await answered(() => question(this.#admin));
    } catch (error) {
      if (toStreamError(error, 'cannot ask').code !== 'TOPIC_UNKNOWN') throw error;
      await this.#replace();
      return answered(() => question(this.#admin));
    }
  }

  async #replace(): Promise<void> {
    this.#requireOpen();
    const former = this.#admin;
    this.#admin = await connect(this.#kafka);
    await former.disconnect();
  }

  close(): Promise<void> {
    this.#closed ??= this.#turn.then(() => this.#admin.disconnect());
    return this.#closed;
  }
}

async function connect(kafka: Kafka): Promise<Admin> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    // some refusals show only in the first answer, such as that of an expired token
    await answered(() => admin.describeCluster());
    return admin;
  } catch (error) {
    await admin.disconnect().catch(() => {});
    throw error;
  }
}

async function answered<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof TypeError) || attempt === ELECTION.attempts) throw error;
      await sleep(ELECTION.waitMs);
    }
  }
}
