/**
 * @kafkajs/confluent-schema-registry, loaded when it is first needed (it brings parsers of JSON Schema and Protobuf) and asking
 * through our own `RegistryHttp`: its last middleware answers in place of its gateway, so all its failures are RegistryErrors.
 */
import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { field, RegistryError } from './registry-error.ts';
import type { RegistryHttp } from './registry-http.ts';

type Middlewares = NonNullable<ConstructorParameters<typeof SchemaRegistry>[0]['middlewares']>;
/** What the library uses of a response. */
type Answer = Awaited<ReturnType<NonNullable<ReturnType<Middlewares[number]>['response']>>>;

/** Loads the library once, at the first call. */
export function lazyLibrary(http: RegistryHttp): () => Promise<SchemaRegistry> {
  let loading: Promise<SchemaRegistry> | undefined;
  return () => {
    loading ??= load(http);
    return loading;
  };
}

async function load(http: RegistryHttp): Promise<SchemaRegistry> {
  const { SchemaRegistry, SchemaType } = await import('@kafkajs/confluent-schema-registry');
  const through: Middlewares[number] = () => ({
    async response(_next, _renew, request) {
      const path = request.path();
      const answer = await http.ask(request.method().toUpperCase(), path, request.body() as string | undefined);
      requireSchema(path, answer, http.url);
      return { data: () => answer } as Answer;
    },
  });
  return new SchemaRegistry(
    { host: http.url, clientId: 'clinstream', middlewares: [through] },
    { [SchemaType.JSON]: { logger: false } }, // its JSON Schema compiler would write to the console
  );
}

/** Whatever answers 200 without a schema (a login page in JSON, say) must not make the library call the schema itself wrong. */
function requireSchema(path: string, answer: unknown, url: string): void {
  if (!path.startsWith('/schemas/ids/') || typeof field(answer, 'schema') === 'string') return;
  throw new RegistryError(
    'REGISTRY_FAILED',
    `the schema registry at ${url}, asked GET ${path}, answered without a schema: check registry.url`,
  );
}
