/** If this fails, `npm run kafka:up` would not give a person a broker, or `npm run kafka:down` not take it away again. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { temporaryFolder } from '../support/temporary.ts';
import { client, createTopic, produce, until } from './client.ts';
import { kafkaNeeds } from './needs.ts';
import { isOpen } from './ports.ts';
import { commandLines } from './processes.ts';

const run = promisify(execFile);

describe('kafka:up and kafka:down', { ...kafkaNeeds(), timeout: 300_000 }, () => {
  const cwd = temporaryFolder('up');
  const script = async (name: string): Promise<string> =>
    (await run(process.execPath, [join(import.meta.dirname, `${name}.ts`)], { cwd })).stdout;
  const ours = (): string[] => commandLines().filter(line => line.includes(join(cwd, '.clinstream')));
  const addresses = (output: string): { broker: string; registry: string } => {
    const [, broker = '', registry = ''] =
      /^CLINSTREAM_TRANSPORT=kafka\nCLINSTREAM_KAFKA_BROKERS=(\S+)\nCLINSTREAM_REGISTRY_URL=(\S+)\n$/.exec(output) ??
      assert.fail(output);
    return { broker, registry };
  };
  /** Kills a server as a crash of the machine does, and gives its port to somebody else. */
  const supplant = async (name: string, port: number): Promise<Server> => {
    process.kill(Number(readFileSync(join(cwd, '.clinstream/kafka', name, 'pid'), 'utf8')), 'SIGKILL');
    await until(`end of the ${name}`, async () => !(await isOpen(port)));
    const stranger = createServer().listen(port, '127.0.0.1');
    await once(stranger, 'listening');
    return stranger;
  };
  after(() => script('down'));

  it('start both once, bring back what crashed with its data, and take all away', async () => {
    const printed = await script('up');
    const first = addresses(printed);
    await createTopic(client(first.broker), 'tried');
    assert.equal(await produce(client(first.broker), 'tried', 'one'), '0');
    const schema = { type: SchemaType.AVRO as const, schema: '{"type":"record","name":"of.a.Test","fields":[]}' };
    const { id } = await new SchemaRegistry({ host: first.registry }).register(schema, { subject: 'tried-value' });
    assert.equal(await script('up'), printed);
    assert.equal(ours().length, 2);

    const strangers = [
      await supplant('broker', Number(first.broker.split(':')[1])),
      await supplant('registry', Number(new URL(first.registry).port)),
    ];
    const second = addresses(await script('up'));
    for (const stranger of strangers) stranger.close();
    assert.notEqual(second.broker, first.broker);
    assert.notEqual(second.registry, first.registry);
    assert.equal(await produce(client(second.broker), 'tried', 'two'), '1');
    assert.equal(await new SchemaRegistry({ host: second.registry }).getLatestSchemaId('tried-value'), id);

    await script('down');
    assert.deepEqual([ours(), readdirSync(join(cwd, '.clinstream'))], [[], []]);
    await script('down');
  });
});
