/** `npm run test:chaos`: the long form, for some ten minutes; `--write` commits its report to benchmarks/results/chaos.json. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { currentCommit, thisMachine } from '../../src/commands/provenance.ts';
import { seeded } from '../../src/evaluation/bootstrap.ts';
import { kafkaNeeds } from '../kafka/needs.ts';
import { ROOT } from '../support/model.ts';
import { type Accident, chaos } from './chaos.ts';

const COUNTS: Readonly<Partial<Record<Accident, number>>> = {
  kill: 21,
  fencing: 3,
  fenced: 3,
  positioned: 3,
  beginning: 3,
  sent: 3,
  'offsets-sent': 3,
  freeze: 3,
  join: 3,
  leave: 3,
  'broker stop': 3,
  'broker kill': 5,
  'broker freeze': 3,
  registry: 1,
};

const { skip } = kafkaNeeds();
if (skip !== false) {
  process.stderr.write(`${skip}\n`);
  process.exit(1);
}
const seed = Number(process.env.CHAOS_SEED ?? 1);
const report = await chaos({
  notes: 10_500,
  workers: 3,
  partitions: 6,
  brokers: 3,
  seed,
  accidents: shuffled(
    Object.entries(COUNTS).flatMap(([accident, count]) => Array<Accident>(count).fill(accident as Accident)),
  ),
  tell: line => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`),
});
const machine = `${thisMachine()}, Apache Kafka 4.3.1, Apicurio Registry 3.0.9`;
const text = `${JSON.stringify({ command: 'npm run test:chaos -- --write', commit: currentCommit(), machine, seed, ...report }, null, 2)}\n`;
process.stdout.write(text);
if (process.argv.includes('--write')) writeFileSync(join(ROOT, 'benchmarks/results/chaos.json'), text);
const { missing, doubled, outOfOrder, wrong } = report.findings;
process.exitCode = missing.length + doubled.length + outOfOrder.length + wrong.length === 0 ? 0 : 1;

function shuffled(accidents: Accident[]): Accident[] {
  const random = seeded(seed);
  for (let i = accidents.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [accidents[i], accidents[j]] = [accidents[j] as Accident, accidents[i] as Accident];
  }
  return accidents;
}
