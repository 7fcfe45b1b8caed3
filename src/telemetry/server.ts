/**
 * `/healthz` (the process lives), `/readyz` (the role does its work) and `/metrics`, over plain HTTP. Answers are codes and
 * numbers: no request and no error is ever quoted.
 */
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { ClinstreamError } from '../core/errors.ts';
import type { Stop } from '../core/processor.ts';
import type { Telemetry } from './telemetry.ts';

export class TelemetryError extends ClinstreamError<'PORT_IN_USE' | 'ADDRESS_UNAVAILABLE'> {
  readonly stage = 'config';
}

/** Ready, or the stable code of what is missing, such as `LAG_TOO_HIGH`. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly code: string };

export interface ServerOptions {
  readonly telemetry: Telemetry;
  /** Only this machine can ask unless another address is given. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Asked when every role is ready. */
  readonly ready?: () => Readiness | Promise<Readiness>;
}

export interface TelemetryServer {
  /** Such as `http://127.0.0.1:9464`. */
  readonly url: string;
  readonly stop: Stop;
}

/** Listens until stopped. @throws TelemetryError PORT_IN_USE or ADDRESS_UNAVAILABLE. */
export async function startTelemetryServer(options: ServerOptions): Promise<TelemetryServer> {
  const app = routes(options);
  const { host = '127.0.0.1', port } = options;
  try {
    const url = await app.listen({ host, port });
    let stopped: Promise<void> | undefined;
    return {
      url,
      stop: () => {
        stopped ??= app.close();
        return stopped;
      },
    };
  } catch (error) {
    await app.close();
    throw listenError(error, host, port);
  }
}

function routes({ telemetry, ready }: ServerOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    forceCloseConnections: true,
    // of a path that is no path; it would be quoted
    frameworkErrors: (_error, _request, reply: FastifyReply) => void reply.code(400).send({ status: 'failed' }),
  });
  app.get('/healthz', async () => ({ status: 'alive' }));
  app.get('/readyz', async (_request, reply) => {
    const readiness = await readinessOf(telemetry, ready);
    return readiness.ready ? { status: 'ready' } : reply.code(503).send({ status: 'not ready', code: readiness.code });
  });
  app.get('/metrics', async (_request, reply) => {
    return reply.type(telemetry.registry.contentType).send(await telemetry.registry.metrics());
  });
  app.setNotFoundHandler((_request, reply) => {
    reply.code(404).send({ status: 'not found', paths: ['/healthz', '/readyz', '/metrics'] });
  });
  app.setErrorHandler((_error, _request, reply) => {
    reply.code(500).send({ status: 'failed' });
  });
  return app;
}

async function readinessOf(telemetry: Telemetry, ready: ServerOptions['ready']): Promise<Readiness> {
  if (telemetry.roles.size === 0) return { ready: false, code: 'ROLE_STARTING' };
  for (const state of telemetry.roles.values()) {
    if (state !== 'ready') return { ready: false, code: `ROLE_${state.toUpperCase()}` };
  }
  if (telemetry.unsettledGroups.size > 0) return { ready: false, code: 'GROUP_UNSETTLED' };
  try {
    return (await ready?.()) ?? { ready: true };
  } catch {
    return { ready: false, code: 'READINESS_UNKNOWN' };
  }
}

/** Codes of an address that is not this machine's, of a kind that it does not have, not this user's to take, or of an unknown name. */
const NOT_OURS = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL', 'EACCES', 'ENOTFOUND', 'EAI_AGAIN']);

function listenError(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const details = { host, port };
  if (code === 'EADDRINUSE') {
    const message = `port ${port} on ${host} is in use: stop what uses it, or choose another with telemetry.port (0 takes a free one)`;
    return new TelemetryError('PORT_IN_USE', message, { details });
  }
  if (typeof code === 'string' && NOT_OURS.has(code)) {
    const message = `cannot listen on ${host}, port ${port} (${code}): telemetry.host must be an address of this machine, and ports below 1024 need privileges`;
    return new TelemetryError('ADDRESS_UNAVAILABLE', message, { details });
  }
  return error;
}
