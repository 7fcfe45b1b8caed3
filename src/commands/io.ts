/** Where a command reads and writes, and how it waits for a slow reader. */

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

/** Resolves when the stream can take more, so that output never piles up in memory. @throws ReaderGone */
export async function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (stream.destroyed || stream.errored !== null) throw new ReaderGone();
  if (stream.write(text)) return;
  await new Promise<void>((done, fail) => {
    const settle = (gone: boolean): void => {
      stream.off('drain', onDrain).off('error', onGone).off('close', onGone);
      if (gone) fail(new ReaderGone());
      else done();
    };
    const onDrain = (): void => settle(false);
    const onGone = (): void => settle(true);
    stream.on('drain', onDrain).on('error', onGone).on('close', onGone);
  });
}

/** Whether to colour: a terminal that did not ask for none (https://no-color.org). */
export function hasColour(io: Io): boolean {
  return io.stdout.isTTY === true && !io.env.NO_COLOR;
}
