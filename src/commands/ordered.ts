/**
 * Runs a bounded number of calls at once over a stream and gives the results in input order: memory stays bounded too. Where the stream
 * fails, what it gave before comes first.
 */
export async function* mapOrdered<In, Out>(
  inputs: AsyncIterable<In>,
  limit: number,
  call: (input: In) => Promise<Out>,
): AsyncIterable<Out> {
  const running: Promise<Out>[] = [];
  let failure: { readonly error: unknown } | undefined;
  async function* untilFailure(): AsyncIterable<In> {
    try {
      yield* inputs;
    } catch (error) {
      failure = { error };
    }
  }
  try {
    for await (const input of untilFailure()) {
      const result = call(input);
      result.catch(() => {}); // it is reported when its turn comes
      running.push(result);
      if (running.length >= limit) yield await (running.shift() as Promise<Out>);
    }
    while (running.length > 0) yield await (running.shift() as Promise<Out>);
    if (failure !== undefined) throw failure.error;
  } finally {
    await Promise.allSettled(running);
  }
}
