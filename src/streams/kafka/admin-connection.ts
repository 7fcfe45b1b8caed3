/**
 * The one admin client of a transport, asked one question at a time: kafkajs's admin keeps what it knows of topics in one place, and
 * questions about different topics at once take it from each other. kafkajs would also connect again for a question that comes after
 * the end, and keep that connection for ever: so the end waits for what was asked, and nothing is asked after it.
 */
import type { Admin, Kafka } from 'kafkajs';
import { StreamError } from '../stream-error.ts';

export class AdminConnection {
  readonly #admin: Admin;
  #turn: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  private constructor(admin: Admin) {
    this.#admin = admin;
  }

  static async open(kafka: Kafka): Promise<AdminConnection> {
    const admin = kafka.admin();
    try {
      await admin.connect();
      // some refusals show only in the first answer, such as that of an expired token
      await admin.describeCluster();
      return new AdminConnection(admin);
    } catch (error) {
      await admin.disconnect().catch(() => {});
      throw error;
    }
  }

  /** @throws StreamError CLOSED after `close`, and what `question` throws. */
  async ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw new StreamError('CLOSED', 'the connection to the brokers is closed');
    const answer = this.#turn.then(() => question(this.#admin));
    this.#turn = answer.catch(() => {});
    return answer;
  }

  close(): Promise<void> {
    this.#closed ??= this.#turn.then(() => this.#admin.disconnect());
    return this.#closed;
  }
}
