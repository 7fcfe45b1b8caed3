/**
 * Replies by what was asked, kept before anything is made of them: whoever asks the same again, after a crash too, pays nothing.
 * A reply that was paid for and cannot be used is kept as well. Quotes are text of notes; `retentionMs` says how long they stay.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Quote, RequestKey, Usage } from '../teachers/teacher.ts';
import type { TeacherCode } from '../teachers/teacher-error.ts';
import { emptyLog, transaction } from './state-database.ts';

export interface StoredReply {
  /** Why it cannot be used; null when it can. */
  readonly code: TeacherCode | null;
  /** None where it cannot be used. */
  readonly quotes: readonly Quote[];
  readonly usage: Usage;
}

interface Row {
  readonly code: string | null;
  readonly quotes: string | null;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly usd: number;
  readonly ms: number;
}

export class ReplyStore {
  readonly #database: DatabaseSync;
  readonly #retentionMs: number;
  readonly #now: () => number;
  readonly #select: StatementSync;
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;
  /** Rows that were removed may stand in the write-ahead log; also those of a process that was killed before it had emptied it. */
  #removedInLog = true;

  /** @param options.now milliseconds since the Unix epoch. */
  constructor(database: DatabaseSync, options: { readonly retentionMs: number; readonly now: () => number }) {
    this.#database = database;
    this.#retentionMs = options.retentionMs;
    this.#now = options.now;
    const key = 'text_sha256 = ? AND task = ? AND prompt_sha256 = ? AND model = ?';
    this.#select = database.prepare(
      `SELECT code, quotes, input_tokens, output_tokens, usd, ms FROM reply WHERE ${key} AND at >= ?`,
    );
    this.#insert = database.prepare('INSERT OR REPLACE INTO reply VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#delete = database.prepare('DELETE FROM reply WHERE at < ?');
  }

  get(key: RequestKey): StoredReply | undefined {
    const row = this.#select.get(...columns(key), this.#now() - this.#retentionMs) as Row | undefined;
    if (row === undefined) return undefined;
    return {
      code: row.code as TeacherCode | null,
      quotes: row.quotes === null ? [] : (JSON.parse(row.quotes) as Quote[]),
      usage: { inputTokens: row.input_tokens, outputTokens: row.output_tokens, usd: row.usd, ms: row.ms },
    };
  }

  /** Removes what is too old to be read from the file and from its log; what cannot be done now the next one does. @throws EscalationError */
  purge(): void {
    const { changes } = transaction(this.#database, () => this.#delete.run(this.#now() - this.#retentionMs));
    if (changes > 0) this.#removedInLog = true;
    if (this.#removedInLog) this.#removedInLog = !emptyLog(this.#database);
  }

  /** On the disk when it returns. @throws EscalationError */
  put(key: RequestKey, { code, quotes, usage }: StoredReply): void {
    const now = this.#now();
    transaction(this.#database, () => {
      const text = code === null ? JSON.stringify(quotes) : null;
      const { inputTokens, outputTokens, usd, ms } = usage;
      this.#insert.run(...columns(key), now, code, text, inputTokens, outputTokens, usd, ms);
    });
  }
}

function columns({ textSha256, task, promptSha256, model }: RequestKey): [string, string, string, string] {
  return [textSha256, task, promptSha256, model];
}
