/**
 * The one admin client of a transport. kafkajs would connect again for a question that comes after the end and keep that
 * connection for ever: so questions are counted, the end waits for them, and none is asked after it.
 */
import type { Admin, Kafka } from 'kafkajs';
import { StreamError } from '../stream-error.ts';

export class AdminConnection {
  readonly #admin: Admin;
  readonly #asked = new Set<Promise<unknown>>();
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
    const answer = question(this.#admin);
    this.#asked.add(answer);
    try {
      return await answer;
    } finally {
      this.#asked.delete(answer);
    }
  }

  close(): Promise<void> {
    this.#closed ??= Promise.allSettled(this.#asked).then(() => this.#admin.disconnect());
    return this.#closed;
  }
}
