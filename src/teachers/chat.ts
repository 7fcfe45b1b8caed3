/** The seam behind which OpenAI and Gemini look alike: one question, one answer, one HTTP request, never a second attempt. */

export interface ChatQuestion {
  readonly instructions: string;
  /** The framed note. */
  readonly text: string;
  readonly signal: AbortSignal;
}

/**
 * How the model ended: with an answer; refusing it or being stopped by a content filter; cut off before its end; or saying
 * nothing. All have been paid for.
 */
export type ChatEnd = 'answered' | 'refused' | 'cut' | 'empty';

export interface ChatAnswer {
  readonly end: ChatEnd;
  readonly text: string;
  /** Undefined where the server does not count, or says no whole number. */
  readonly inputTokens: number | undefined;
  /** Those it thought with included. */
  readonly outputTokens: number | undefined;
}

export interface Chat {
  readonly host: string;
  readonly maxOutputTokens: number;
  /** Everything that is sent beside model, instructions and text, and where to: the same model's name may mean another model there. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** @throws TeacherError when there is no answer; anything else the client throws is for `llm-teacher.ts` to translate */
  ask(question: ChatQuestion): Promise<ChatAnswer>;
}

export interface Sampling {
  readonly temperature: number;
  readonly topP: number;
}

/** As in the published method: nearly deterministic. */
export const SAMPLING: Sampling = { temperature: 0.01, topP: 0.9 };
