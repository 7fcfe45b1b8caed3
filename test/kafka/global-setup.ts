/** For node's --test-global-setup: one broker and one registry for a whole run, named in the environment of every test file. */
import { download } from './download.ts';
import { kafkaNeeds } from './needs.ts';
import { sharedByRun, startShared } from './shared.ts';

let started: Awaited<ReturnType<typeof startShared>> | undefined;

/** @throws Error when they do not start, and in CI also when they cannot be had. */
export async function globalSetup(): Promise<void> {
  if (sharedByRun() !== undefined) return;
  let { skip } = kafkaNeeds();
  if (skip === false) {
    await tryDownload();
    ({ skip } = kafkaNeeds());
  }
  if (skip !== false) {
    process.stderr.write(`\n*** ${skip} ***\n\n`);
    return;
  }
  started = await startShared();
  process.env.TEST_KAFKA_BOOTSTRAP = started.bootstrap;
  process.env.TEST_REGISTRY_URL = started.registryUrl;
}

export async function globalTeardown(): Promise<void> {
  await started?.dispose();
}

/** Without a network nobody's other tests should fail: the environment then tells every file's `kafkaNeeds` the reason to skip. */
async function tryDownload(): Promise<void> {
  try {
    await download();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.env.TEST_KAFKA_UNAVAILABLE = 'Maven could not fetch Kafka and the registry';
  }
}
