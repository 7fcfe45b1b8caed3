/** Confluent wire format, on Kafka: a zero byte, the id of the writer's schema in the registry in 4 bytes, the body. */
import { avroBody, IncompatibleSchema, type ReadBody } from './avro-body.ts';
import { DEFAULT_MAX_VALUE_BYTES, DecodeError, type EventCodec, requireValue } from './codec.ts';
import type { SchemaRegistryClient } from './registry.ts';
import type { AvroRecord, AvroSchema } from './schemas.ts';

const MAGIC = 0;
const HEADER_BYTES = 5;

export interface ConfluentOptions {
  /** The schema that we write, and to which other versions are resolved. */
  readonly schema: AvroRecord;
  readonly registry: Pick<SchemaRegistryClient, 'schema' | 'idOf'>;
  /** Where our schema is registered; `valueSubject` of a topic. */
  readonly subject: string;
  /** Values above this size, header included, are refused. */
  readonly maxBytes?: number;
}

/** The subject of a topic's values by TopicNameStrategy, which is every client's default. */
export function valueSubject(topic: string): string {
  return `${topic}-value`;
}

/** A codec of one event type. `E` must be the type generated from `schema`. The registry is asked once for each schema. */
export function createConfluentCodec<E extends object>(options: ConfluentOptions): EventCodec<E> {
  const { schema, registry, subject, maxBytes = DEFAULT_MAX_VALUE_BYTES } = options;
  const body = avroBody(schema);
  const readers = new Map<number, ReadBody>();
  let ourId: number | undefined;

  function readerOf(id: number, writer: AvroSchema): ReadBody {
    try {
      return body.reader(writer);
    } catch (error) {
      if (!(error instanceof IncompatibleSchema)) throw error;
      // schemas are no secret, but long
      const why = error.message.slice(0, 200);
      return () => {
        throw new DecodeError('SCHEMA_INCOMPATIBLE', `schema ${id} cannot be read as ${body.name}: ${why}`, {
          details: { schema: id },
        });
      };
    }
  }

  return {
    async encode(event) {
      const bytes = body.write(event);
      ourId ??= await registry.idOf(subject, schema);
      const header = Buffer.alloc(HEADER_BYTES, MAGIC);
      header.writeUInt32BE(ourId, 1);
      return Buffer.concat([header, bytes]);
    },
    async decode(value) {
      const bytes = requireValue(value, maxBytes);
      const id = schemaId(bytes);
      let read = readers.get(id);
      if (read === undefined) {
        read = readerOf(id, await registry.schema(id));
        readers.set(id, read);
      }
      return read(bytes.subarray(HEADER_BYTES)) as E;
    },
  };
}

/** @throws DecodeError NOT_AVRO or VALUE_TRUNCATED. */
function schemaId(value: Buffer): number {
  if (value[0] !== MAGIC) {
    throw new DecodeError('NOT_AVRO', 'the value is not in Confluent wire format: it must begin with a zero byte');
  }
  if (value.length < HEADER_BYTES) throw new DecodeError('VALUE_TRUNCATED', "the value ends inside its schema's id");
  return value.readUInt32BE(1);
}
