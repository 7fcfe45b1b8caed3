/** Runs a bounded number of calls at once over a stream and gives the results in input order: memory stays bounded too. */
export async function* mapOrdered<In, Out>(
  inputs: AsyncIterable<In>,
  limit: number,
  call: (input: In) => Promise<Out>,
): AsyncIterable<Out> {
  const running: Promise<Out>[] = [];
  try {
    for await (const input of inputs) {
      const result = call(input);
      result.catch(() => {}); // it is reported when its turn comes
      running.push(result);
      if (running.length >= limit) yield await (running.shift() as Promise<Out>);
    }
    while (running.length > 0) yield await (running.shift() as Promise<Out>);
  } finally {
    await Promise.allSettled(running);
  }
}
