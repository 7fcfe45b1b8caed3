/** Where something stands in a note. Offsets are Unicode code points, half-open, into the text exactly as received. */

/** A kind of mention: a head of the model (the shipped model has medication, disease and symptom). */
export type Task = string;

export interface Span {
  /** First code point of the span. */
  readonly start: number;
  /** One past its last code point; always greater than `start`. */
  readonly end: number;
}

/** A mention: for every one, the code points `[start, end)` of the note equal `text`. */
export interface Entity extends Span {
  readonly task: Task;
  readonly text: string;
  /** Calibrated probability in (0, 1) that the words of the span belong to a mention of the task. */
  readonly confidence: number;
}
