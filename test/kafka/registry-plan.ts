/** How the schema registry is run: Apicurio, whose file database keeps schema ids over a restart. */
import { join } from 'node:path';
import type { Plan } from './service.ts';

export const registryUrl = ([port = 0]: readonly number[]): string => `http://127.0.0.1:${port}/apis/ccompat/v7`;

/** Port: of its HTTP API. */
export async function registryPlan(jar: string, folder: string, ports: readonly number[]): Promise<Plan> {
  const settings = {
    'java.io.tmpdir': folder,
    'quarkus.banner.enabled': 'false',
    'quarkus.http.access-log.enabled': 'false',
    'quarkus.log.level': 'WARN',
    'quarkus.log.category."io.apicurio".level': 'WARN',
    'quarkus.log.category."io.quarkus".level': 'INFO', // the one line of `sign`
    'quarkus.http.host': '127.0.0.1',
    'quarkus.http.port': String(ports[0]),
    'apicurio.datasource.url': `jdbc:h2:file:${join(folder, 'registry')};WRITE_DELAY=0`, // an answer outlives a SIGKILL
  };
  return {
    setUp: [],
    serve: {
      program: 'java',
      args: [
        ...['-Xms64m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:-UsePerfData', '-XX:TieredStopAtLevel=1'],
        ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`),
        '-jar',
        jar,
      ],
      log: join(folder, 'server.log'),
    },
    sign: 'Listening on: http://127.0.0.1',
    ready: () => isBackward(`${registryUrl(ports)}/config`),
  };
}

/** Whether the global compatibility is Confluent's default; Apicurio's is none, so that the first answer sets it. */
async function isBackward(url: string): Promise<boolean> {
  const signal = AbortSignal.timeout(5000);
  try {
    const config = await fetch(url, { signal });
    if (/"BACKWARD"/.test(await config.text())) return true;
    const headers = { 'content-type': 'application/json' };
    const changed = await fetch(url, { signal, headers, method: 'PUT', body: '{"compatibility":"BACKWARD"}' });
    await changed.text();
    return false;
  } catch {
    return false;
  }
}
