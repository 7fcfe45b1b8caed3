/** For JSON.stringify: no more digits than a measure has. */
export function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toFixed(5)) : value;
}
