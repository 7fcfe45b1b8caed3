/** What must become of a note when its provider does one thing wrong: the codes of its requests, its end, and the bill. */
import type { ReviewReason } from '../../src/events/review-event.ts';
import type { TeacherCode } from '../../src/teachers/teacher-error.ts';
import type { Fault } from '../emulators/faults.ts';
import type { Provider } from './wire-stage.ts';

export interface Expected {
  /** In their order. */
  readonly outcomes: readonly (TeacherCode | 'OK')[];
  readonly end: 'revised' | ReviewReason;
  /** How often the provider would bill. Twice only where an answer was paid for and never arrived whole. */
  readonly bills: number;
}

const answered: Expected = { outcomes: ['OK'], end: 'revised', bills: 1 };
const again = (code: TeacherCode, bills = 1): Expected => ({ outcomes: [code, 'OK'], end: 'revised', bills });
const unusable = (code: TeacherCode, bills = 1): Expected => ({ outcomes: [code], end: 'REPLY_UNUSABLE', bills });
const ungrounded: Expected = { outcomes: ['OK'], end: 'NOTHING_GROUNDED', bills: 1 };

type Table = Readonly<Partial<Record<Fault, Expected>>>;

const OPENAI: Table = {
  none: answered,
  hang: again('TEACHER_TIMEOUT'),
  crawl: again('TEACHER_TIMEOUT', 2),
  'busy-ms': again('TEACHER_BUSY'),
  'busy-date': again('TEACHER_BUSY'),
  'error-500': again('TEACHER_FAILED'),
  'error-503': again('TEACHER_FAILED'),
  'error-in-200': again('TEACHER_FAILED'),
  'busy-in-200': again('TEACHER_BUSY'),
  'odd-error-in-200': again('TEACHER_FAILED'),
  cut: again('TEACHER_HUNG_UP', 2),
  slam: again('TEACHER_HUNG_UP'),
  'bad-envelope': again('TEACHER_FAILED', 2),
  rejected: unusable('REQUEST_REJECTED', 0),
  'bad-json': unusable('REPLY_NOT_JSON'),
  'wrong-schema': unusable('REPLY_WRONG_SCHEMA'),
  'empty-choices': unusable('REPLY_EMPTY'),
  'empty-text': unusable('REPLY_EMPTY'),
  refusal: unusable('REPLY_REFUSED'),
  length: unusable('REPLY_CUT'),
  'content-filter': unusable('REPLY_REFUSED'),
  invented: ungrounded,
  echoed: ungrounded,
  // what the note dictated stands in the note, and a model may quote it
  obeyed: answered,
};

const GEMINI: Table = { ...OPENAI, 'content-filter': unusable('REPLY_REFUSED', 0) };

const free = (expected: Expected): Expected => ({ ...expected, bills: 0 });

/** It costs nothing, has no model that could misbehave, and its offsets are checked before grounding. */
const BIOPORTAL: Table = {
  none: free(answered),
  hang: free(again('TEACHER_TIMEOUT')),
  crawl: free(again('TEACHER_TIMEOUT')),
  'busy-ms': free(again('TEACHER_BUSY')),
  'busy-date': free(again('TEACHER_BUSY')),
  'error-500': free(again('TEACHER_FAILED')),
  'error-503': free(again('TEACHER_FAILED')),
  'error-in-200': free(again('TEACHER_FAILED')),
  'odd-error-in-200': free(again('TEACHER_FAILED')),
  cut: free(again('TEACHER_HUNG_UP')),
  slam: free(again('TEACHER_HUNG_UP')),
  'bad-envelope': free(again('TEACHER_FAILED')),
  rejected: free(unusable('REQUEST_REJECTED')),
  length: free(unusable('REQUEST_REJECTED')),
  'bad-json': free(again('TEACHER_FAILED')),
  'wrong-schema': free(unusable('REPLY_WRONG_SCHEMA')),
  'empty-text': free(answered),
  invented: free(unusable('REPLY_WRONG_SCHEMA')),
};

export const EXPECTED: Readonly<Record<Provider, Table>> = {
  openai: OPENAI,
  gemini: GEMINI,
  bioportal: BIOPORTAL,
};
