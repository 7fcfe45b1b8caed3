/** Where a command reads and writes, how it waits for a slow reader, and what it makes of a stream that fails. */
import { fstatSync, writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ClinstreamError } from '../core/errors.ts';

export interface Io {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** The reader of standard output went away (`| head`): the command ends quietly. */
export class ReaderGone extends Error {}

/** Standard output takes no more, and nobody went away: a full disk, a quota, a broken device. */
export class OutputError extends ClinstreamError<'OUTPUT_FAILED'> {
  readonly stage = 'output';
}

const GONE: ReadonlySet<string> = new Set([
  'EPIPE',
  'ECONNRESET',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
]);

interface Watched {
  /** The first: standard output itself forgets it as soon as it is told. */
  failure: NodeJS.ErrnoException | undefined;
}

const watched = new WeakMap<NodeJS.WriteStream, Watched>();

/** From now on a failure of the stream is remembered, and does not end the process by itself. */
export function watch(stream: NodeJS.WriteStream): Watched {
  const known = watched.get(stream);
  if (known !== undefined) return known;
  const fresh: Watched = { failure: undefined };
  watched.set(stream, fresh);
  stream.on('error', error => {
    fresh.failure ??= error;
  });
  return fresh;
}

/** Node's stream onto a file writes once, and overlooks that a disk which is filling up took only a part. */
export function writeWholly(stream: NodeJS.WriteStream & { readonly fd?: number }): void {
  const { fd } = stream;
  if (typeof fd !== 'number' || !fstatSync(fd).isFile()) return;
  stream._write = (chunk: Buffer, _encoding, done) => {
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
      done();
    } catch (error) {
      done(error as Error);
    }
  };
}

/**
 * Onto standard output. Resolves when the stream can take more, so that output never piles up in memory.
 * @throws ReaderGone, OutputError
 */
export async function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (text === '') return;
  requireSound(stream);
  if (stream.write(text)) return;
  requireSound(stream);
  const end = await drainedOrEnded(stream);
  requireSound(stream);
  if (end === 'ended') throw new ReaderGone();
}

/** A line onto standard error, as well as can be: no work ends because it cannot be told. */
export async function report(io: Pick<Io, 'stderr'>, line: string): Promise<void> {
  watch(io.stderr);
  if (io.stderr.destroyed || io.stderr.write(`${line}\n`)) return;
  await drainedOrEnded(io.stderr);
}

/** Resolves when all that was written has left this process, or its reader is gone. @throws OutputError */
export async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength > 0) await new Promise<void>(done => stream.write('', () => done()));
  await nextTurn(); // a failure is told after the write has returned
  const failure = failureOf(stream);
  if (failure instanceof OutputError) throw failure;
}

function drainedOrEnded(stream: NodeJS.WriteStream): Promise<'drained' | 'ended'> {
  return new Promise(done => {
    const settle = (end: 'drained' | 'ended'): void => {
      stream.off('drain', onDrain).off('error', onEnd).off('close', onEnd);
      done(end);
    };
    const onDrain = (): void => settle('drained');
    const onEnd = (): void => settle('ended');
    stream.on('drain', onDrain).on('error', onEnd).on('close', onEnd);
  });
}

function requireSound(stream: NodeJS.WriteStream): void {
  const failure = failureOf(stream);
  if (failure !== undefined) throw failure;
}

function failureOf(stream: NodeJS.WriteStream): ReaderGone | OutputError | undefined {
  const cause = watch(stream).failure ?? (stream.errored as NodeJS.ErrnoException | null);
  if (cause === null) return stream.destroyed ? new ReaderGone() : undefined;
  const { code = 'unknown' } = cause;
  if (GONE.has(code)) return new ReaderGone();
  return new OutputError(
    'OUTPUT_FAILED',
    `standard output cannot be written (${code}): make room or write elsewhere; what was written is not all, and what was done besides stands`,
    { cause },
  );
}

/** Whether to colour: a terminal that did not ask for none (https://no-color.org). */
export function hasColour(io: Io): boolean {
  return io.stdout.isTTY === true && !io.env.NO_COLOR;
}
