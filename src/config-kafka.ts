/** The part of the configuration that names a Kafka cluster and its schema registry; see config.ts. */
import { z } from 'zod';
import { isLoopback } from './core/loopback.ts';

/** Keys that the environment alone may give: a file is read by many. */
export const SECRETS = ['kafka.sasl.password', 'kafka.sasl.clientSecret', 'registry.password'] as const;

/** A note, its entities and what an escalation adds must fit. */
const LEAST_RECORD_BYTES = 256 * 1024;

const MOST = 1_000_000_000;
/** A number, or its plain decimal text, as the environment and the command line give it: what else could become one is a mistake. */
const number = z.union(
  [
    z.number(),
    z
      .string()
      .regex(/^-?\d+(\.\d+)?$/)
      .transform(Number),
  ],
  'must be a number',
);
export const between = (min: number, max: number) => number.pipe(z.number().min(min).max(max));
/** @param why no more than `max`. */
export const whole = (min: number, max = MOST, why?: string) =>
  number.pipe(
    z
      .number()
      .int()
      .min(min)
      .max(max, why === undefined ? undefined : `must be at most ${max}: ${why}`),
  );
export const count = (max?: number, why?: string) => whole(1, max, why);
/** null or `none` says that there is none. */
export const orNone = (schema: z.ZodType<number>) =>
  z.union([z.null(), z.literal('none').transform(() => null), schema], 'must be a number, or none');
const name = z.string().min(1);
const yesNo = z.union([z.boolean(), z.stringbool({ truthy: ['true'], falsy: ['false'] })]);
/** A path, or nothing. */
const file = name.optional();
/** From the environment only. */
const secret = name.optional();
export const list = z
  .union([z.array(name), z.string().transform(text => text.split(',').map(each => each.trim()))])
  .pipe(z.array(name));

export const kafka = z.strictObject({
  /** host:port of some brokers, in a list or separated by commas. */
  brokers: list.default([]),
  clientId: name.default('clinstream'),
  /** Without a heartbeat for so long, a worker's partitions go to others. */
  sessionMs: count().default(30_000),
  heartbeatMs: count().default(3_000),
  /** How long the group waits for its members to join again. */
  rebalanceMs: count().default(60_000),
  /** The broker ends a transaction that takes longer. */
  transactionMs: count().default(60_000),
  connectMs: count().default(10_000),
  requestMs: count().default(30_000),
  /** For topics that `topics create` makes; -1 is the cluster's default. */
  replicationFactor: whole(-1, 100).default(-1),
  /** max.message.bytes of topics that `topics create` makes: a dead letter must hold whatever came in. */
  recordBytes: whole(LEAST_RECORD_BYTES).default(16 * 1024 * 1024),
  tls: z
    .strictObject({
      enabled: yesNo.default(false),
      /** Certificate authorities in PEM; the system's where none is given. */
      caFile: file,
      /** The client's own certificate and key in PEM, where brokers ask for one. */
      certFile: file,
      keyFile: file,
    })
    .prefault({}),
  sasl: z
    .strictObject({
      mechanism: z.enum(['none', 'plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer']).default('none'),
      username: name.optional(),
      password: secret,
      passwordFile: file,
      /** OAUTHBEARER: a file with the token, read again before it expires; or the endpoint of the client credentials grant. */
      tokenFile: file,
      tokenUrl: z.url().optional(),
      clientId: name.optional(),
      clientSecret: secret,
      clientSecretFile: file,
      scope: name.optional(),
    })
    .prefault({}),
});

export const registry = z.strictObject({
  /** Base of the Confluent API, such as http://127.0.0.1:8081. */
  url: z.url().optional(),
  username: name.optional(),
  password: secret,
  passwordFile: file,
  caFile: file,
  /** Registers schemas that are not there yet; in production `schemas register` does it before a deploy. */
  autoRegister: yesNo.default(false),
  requestMs: count().default(10_000),
});

type Kafka = z.output<typeof kafka>;
const BY_PASSWORD = ['username', 'password', 'passwordFile'];
const USED: Readonly<Record<Kafka['sasl']['mechanism'], readonly string[]>> = {
  none: [],
  plain: BY_PASSWORD,
  'scram-sha-256': BY_PASSWORD,
  'scram-sha-512': BY_PASSWORD,
  oauthbearer: ['tokenFile', 'tokenUrl', 'clientId', 'clientSecret', 'clientSecretFile', 'scope'],
};

/** What would be passed over, as if the connection were safer than it is, or would send a secret in the clear; and what to do about it. */
export function misfit({ tls, sasl }: Kafka): { key: string; what: string } | undefined {
  const pem = (['caFile', 'certFile', 'keyFile'] as const).find(each => tls[each] !== undefined);
  if (pem !== undefined && !tls.enabled) {
    const what = 'nothing reads it while kafka.tls.enabled is false: set that to true, or leave this out';
    return { key: `kafka.tls.${pem}`, what };
  }
  const { mechanism, ...given } = sasl;
  const idle = Object.entries(given).find(([key, value]) => value !== undefined && !USED[mechanism].includes(key))?.[0];
  if (idle !== undefined) {
    const users = Object.entries(USED).flatMap(([each, keys]) => (keys.includes(idle) ? [each] : []));
    const what = `kafka.sasl.mechanism ${mechanism} does not use it: choose ${users.join(', ')}, or leave this out`;
    return { key: `kafka.sasl.${idle}`, what };
  }
  if (sasl.tokenUrl === undefined) return undefined;
  const { protocol, hostname } = new URL(sasl.tokenUrl);
  if (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))) return undefined;
  return {
    key: 'kafka.sasl.tokenUrl',
    what: "must begin with https:, since the client's secret goes there (http: only to this machine)",
  };
}
