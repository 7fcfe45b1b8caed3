/**
 * JSON lines on standard error. Of an error only name, stage and code are logged, wherever it stands in the line: messages of
 * foreign errors, and causes above all, may quote what they choked on.
 */
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';
import { ClinstreamError } from '../core/errors.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface LogOptions {
  readonly level: LogLevel;
  /** Where the lines go; standard error when absent. */
  readonly destination?: DestinationStream;
}

/** A stable code such as `ECONNREFUSED`; anything else that stands in a `code` is not one. */
const CODE = /^[A-Z][A-Z0-9_]{0,63}$/;
const NAME = /^[A-Za-z][A-Za-z0-9]{0,63}$/;

/** A logger whose lines can be shown to anyone who may see ids of notes. */
export function createLogger(options: LogOptions): Logger {
  return pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }), log: fields => safeFields(fields, 0) },
      serializers: { err: value => safe(value) },
      hooks: {
        logMethod(args, method) {
          const [first, ...rest] = args as unknown[];
          const line = first instanceof Error ? [{ err: errorFields(first) }, ...orMessage(rest)] : [first, ...rest];
          method.apply(this, line.map(value => safe(value)) as Parameters<typeof method>);
        },
      },
    },
    options.destination ?? standardError(),
  );
}

/** Lines that it does not take, with the disk full for example, are lost in the end: no work ends because it cannot be told. */
function standardError(): DestinationStream {
  return destination({ dest: 2, sync: true, maxLength: MAX_WAITING_BYTES }).on('error', () => {});
}

const MAX_WAITING_BYTES = 1024 * 1024;
const MAX_DEPTH = 5;

/** What may be said about an error without knowing where it comes from. */
export function errorFields(error: Error): Readonly<Record<string, string | boolean>> {
  const code = 'code' in error && typeof error.code === 'string' && CODE.test(error.code) ? { code: error.code } : {};
  const known = error instanceof ClinstreamError ? { stage: error.stage, retryable: error.retryable } : {};
  return { name: NAME.test(error.name) ? error.name : 'Error', ...known, ...code };
}

function orMessage(rest: readonly unknown[]): readonly unknown[] {
  return rest.length === 0 ? ['failed'] : rest;
}

function safeFields(fields: Record<string, unknown>, depth: number): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, safe(value, depth)]));
}

/** Errors anywhere in a value by their fields; bigints as text; what lies too deep (or in a circle) is left out. */
function safe(value: unknown, depth = 0): unknown {
  if (value instanceof Error) return errorFields(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[too deep]';
  return Array.isArray(value)
    ? value.map(item => safe(item, depth + 1))
    : safeFields(value as Record<string, unknown>, depth + 1);
}
