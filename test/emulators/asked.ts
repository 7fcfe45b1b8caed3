/** What an emulator was asked, without the text: enough to prove that nothing was paid twice and that connections were closed. */
import { createHash } from 'node:crypto';
import type { Fault } from './faults.ts';

export interface Asked {
  readonly at: number;
  readonly task: string;
  readonly model: string;
  readonly textSha256: string;
  /** Of the request's body, with the note taken out. */
  readonly aroundSha256: string;
  readonly fault: Fault;
  /** What a provider would bill; 0 where it would not. */
  inputTokens: number;
  outputTokens: number;
  /** The status answered, or null while nothing was. */
  status: number | null;
  /** Of a body that crawls. */
  crawledBytes: number;
  /** Whether the client went away before the answer was whole. */
  closedEarly: boolean;
}

export const hash = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/** Some four bytes a token, as English has; a stand-in for the provider's tokeniser, the same in every run. */
export const tokensOf = (text: string): number => Math.ceil(Buffer.byteLength(text, 'utf8') / 4);

export class AskedLog {
  readonly all: Asked[] = [];
  readonly #waiting = new Set<() => void>();

  add(asked: Asked): Asked {
    this.all.push(asked);
    this.changed();
    return asked;
  }

  changed(): void {
    for (const look of [...this.#waiting]) look();
  }

  /** Resolves once `condition` holds; the test's own time limit is the only one. */
  until(condition: (all: readonly Asked[]) => boolean): Promise<void> {
    return new Promise(resolve => {
      const look = () => {
        if (!condition(this.all)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** How often each text, task and model was billed. */
  billed(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { textSha256, task, model, outputTokens } of this.all) {
      const key = `${textSha256} ${task} ${model}`;
      if (outputTokens > 0) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }

  summary() {
    const { all } = this;
    const sum = (of: (asked: Asked) => number) => all.reduce((total, asked) => total + of(asked), 0);
    return {
      requests: all.length,
      inputTokens: sum(asked => asked.inputTokens),
      outputTokens: sum(asked => asked.outputTokens),
      closedEarly: all.filter(asked => asked.closedEarly).length,
      billedTwice: [...this.billed().values()].filter(count => count > 1).length,
    };
  }
}
