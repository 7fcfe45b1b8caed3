/**
 * `npm run kafka:up`: a broker and a registry that run on until `npm run kafka:down`, for a person who tries things out. What runs
 * already is left alone; what does not comes back with its data.
 */
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { brokerPlan } from './broker-plan.ts';
import { Detached } from './detached.ts';
import { download } from './download.ts';
import { missingForKafka } from './needs.ts';
import { freePorts } from './ports.ts';
import { registryPlan, registryUrl } from './registry-plan.ts';
import { onPorts, type Planner, startService } from './service.ts';

async function bringUp(name: string, portCount: number, planFor: Planner): Promise<readonly number[]> {
  const runner = new Detached(resolve('.clinstream/kafka', name));
  const file = join(runner.folder, 'ports.json');
  const known = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as number[]) : undefined;
  if (known !== undefined && runner.runs()) return known;
  await runner.stop(); // one whose start was broken off
  process.stderr.write(`starting the ${name} in ${runner.folder}\n`);
  const ports = await onPorts(known ?? (await freePorts(portCount)), async given => {
    await startService(runner, given, planFor);
    return given;
  });
  await writeFile(file, JSON.stringify(ports));
  return ports;
}

const missing = missingForKafka();
if (missing !== undefined) {
  process.stderr.write(`${missing}: install it to run Kafka on this machine\n`);
  process.exit(1);
}
const programs = await download();
const [broker, registry] = await Promise.all([
  bringUp('broker', 2, (folder, ports) => brokerPlan(programs.broker, folder, ports, {})),
  bringUp('registry', 1, (folder, ports) => registryPlan(programs.registry, folder, ports)),
]);
process.stdout.write(
  [
    'CLINSTREAM_TRANSPORT=kafka',
    `CLINSTREAM_KAFKA_BROKERS=127.0.0.1:${broker[0]}`,
    `CLINSTREAM_REGISTRY_URL=${registryUrl(registry)}`,
    '',
  ].join('\n'),
);
