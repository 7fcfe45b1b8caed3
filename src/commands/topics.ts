/** `topics create` and `topics list`. */
import type { Config } from '../config.ts';
import type { Retention } from '../streams/transport.ts';
import { type Io, report, write } from './io.ts';
import { ensureTopics, makeTopic, openTransport } from './open-transport.ts';

/** Without names: the topics of the configuration that are not there yet. @throws StreamError TOPIC_EXISTS for a named one. */
export async function createTopics(
  config: Config,
  { names, retention }: { names: readonly string[]; retention: Retention },
  io: Io,
): Promise<void> {
  const transport = await openTransport(config, { create: true, now: io.now });
  try {
    for (const name of names) await makeTopic(transport, config, name, retention);
    const made = names.length > 0 ? names : await ensureTopics(transport, config, retention);
    for (const name of made) await write(io.stdout, `${name}\n`);
    if (names.length > 0) return;
    const { partitions: _, ...configured } = config.topics;
    const kept = Object.values(configured).filter(topic => !made.includes(topic));
    for (const { topic, partitions } of (await transport.topics()).filter(each => kept.includes(each.topic)))
      await report(io, `${topic} is there already: its ${partitions.length} partitions and its retention stay`);
  } finally {
    await transport.close();
  }
}

export async function listTopics(config: Config, format: 'table' | 'jsonl', io: Io): Promise<void> {
  const transport = await openTransport(config, { create: false, now: io.now });
  try {
    const lags = await transport.lags();
    for (const { topic, partitions, retention } of await transport.topics()) {
      const records = partitions.reduce((sum, { low, high }) => sum + Number(high - low), 0);
      const groups: Record<string, number> = {};
      for (const { group, lag } of lags.filter(each => each.topic === topic))
        groups[group] = (groups[group] ?? 0) + Number(lag);
      const row = { topic, partitions: partitions.length, records, retention, lag: groups };
      const lagText = Object.entries(groups).map(([group, lag]) => `${group} lags ${lag}`);
      const line = [topic.padEnd(28), `${row.partitions} partitions`, `${records} records`, ...lagText].join('  ');
      await write(io.stdout, `${format === 'jsonl' ? JSON.stringify(row) : line}\n`);
    }
  } finally {
    await transport.close();
  }
}
