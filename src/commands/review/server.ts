/**
 * The error browser's server: this machine only, and only for its own page. A page of another site can neither read a note (no CORS, the
 * Host is checked, so that no name that points here helps) nor add a verdict (the Origin is checked). Nothing is logged but codes.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { z } from 'zod';
import { ClinstreamError } from '../../core/errors.ts';
import type { Stop } from '../../core/processor.ts';
import { errorKey, type ReviewDocument, type SpanError } from '../../distill/review/errors.ts';
import type { Review } from '../../distill/review/review.ts';
import { summariseReview } from '../../distill/review/summary.ts';
import { renderSummary } from '../../distill/review/summary-text.ts';
import {
  MAX_COMMENT,
  MAX_REVIEWER,
  VERDICTS,
  type VerdictLog,
  type VerdictRow,
} from '../../distill/review/verdicts.ts';
import { TelemetryError } from '../../telemetry/server.ts';
import { mentionOf, piecesOf } from './view.ts';

const HOST = '127.0.0.1';
const PAGE = join(import.meta.dirname, 'page');
const ASSETS = {
  '/': { file: 'index.html', type: 'text/html; charset=utf-8' },
  '/page.css': { file: 'page.css', type: 'text/css; charset=utf-8' },
  '/page.js': { file: 'page.js', type: 'text/javascript; charset=utf-8' },
} as const;
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

export interface ReviewServerOptions {
  readonly review: Review;
  readonly log: VerdictLog;
  /** 0 takes a free one. */
  readonly port: number;
  /** Proposed to the page. */
  readonly reviewer: string;
  readonly now: () => number;
  /** Codes of what failed, and lines of the verdicts file: never a message's text. */
  readonly failed: (code: string) => void;
}

export interface ReviewServer {
  readonly url: string;
  readonly stop: Stop;
}

/** Listens until stopped. @throws TelemetryError PORT_IN_USE or ADDRESS_UNAVAILABLE */
export async function startReviewServer(options: ReviewServerOptions): Promise<ReviewServer> {
  const app = routes(options);
  try {
    const url = await app.listen({ host: HOST, port: options.port });
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
    throw listenError(error, options.port);
  }
}

const verdictSchema = z.strictObject({
  session: z.string(),
  error: z.int().min(0),
  verdict: z.enum(VERDICTS),
  reviewer: z
    .string()
    .trim()
    .min(1)
    .max(MAX_REVIEWER)
    .regex(/^\P{Cc}*$/u),
  comment: z.string().trim().max(MAX_COMMENT).optional(),
});

function routes({ review, log, reviewer, now, failed }: ReviewServerOptions): FastifyInstance {
  const { errors } = review;
  /** Pages of an earlier start number other errors. */
  const session = randomUUID();
  const documents = documentsByError(review);
  const numbers = new Map(errors.map((error, n) => [errorKey(error), n]));
  const summary = rememberSummary(review, log);

  const app = fastify({ logger: false, forceCloseConnections: true, bodyLimit: 64 * 1024 });
  app.removeContentTypeParser('text/plain');
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    const code = refusal(request, app);
    if (code !== undefined) return refuse(reply, 403, code);
  });
  for (const [path, { file, type }] of Object.entries(ASSETS)) {
    app.get(path, (_request, reply) => reply.type(type).send(readFileSync(join(PAGE, file))));
  }

  app.get('/api/errors', () => ({
    session,
    reviewer,
    title: `${review.file}, ${review.split}`,
    model: `${review.model.name} ${review.model.version}`,
    tasks: review.tasks,
    errors: errors.map((error, n) => {
      const { document, task, kind, start, end, probability, overlaps } = error;
      const mention = mentionOf(documents[n] as ReviewDocument, error);
      return { document, task, kind, start, end, probability, overlaps, mention };
    }),
  }));

  app.get<{ Params: { n: string }; Querystring: { whole?: string } }>('/api/errors/:n', (request, reply) => {
    const error = errors[Number(request.params.n)];
    const document = documents[Number(request.params.n)];
    if (error === undefined || document === undefined) return refuse(reply, 404, 'NO_SUCH_ERROR');
    return piecesOf(document, error, request.query.whole === '1');
  });

  let told = 0;
  app.get<{ Querystring: { from?: string } }>('/api/verdicts', request => {
    const invalid = log.takeIn().map(each => each.number);
    for (const line of invalid.slice(told)) failed(`VERDICTS_INVALID, line ${line}`);
    told = invalid.length;
    const from = Number(request.query.from ?? 0) || 0;
    const verdicts = log.rows.slice(from).flatMap(row => {
      const n = numbers.get(errorKey(row));
      return n === undefined ? [] : [{ error: n, verdict: row.verdict, reviewer: row.reviewer, comment: row.comment }];
    });
    return { session, next: log.rows.length, verdicts, invalid };
  });

  app.post('/api/verdicts', (request, reply) => {
    const asked = verdictSchema.safeParse(request.body);
    if (!asked.success) return refuse(reply, 400, 'VERDICT_INVALID');
    const { error: n, verdict, comment, ...by } = asked.data;
    if (by.session !== session) return refuse(reply, 409, 'PAGE_OUTDATED');
    const error = errors[n];
    if (error === undefined) return refuse(reply, 404, 'NO_SUCH_ERROR');
    if (verdict === 'border' && !error.overlaps) return refuse(reply, 400, 'BORDER_WITHOUT_OVERLAP');
    log.append(rowOf(review, error, { verdict, comment, reviewer: by.reviewer, at: new Date(now()).toISOString() }));
    return { saved: true };
  });

  app.get('/api/summary', () => ({ text: summary() }));

  app.setNotFoundHandler((_request, reply) => refuse(reply, 404, 'NOT_FOUND'));
  app.setErrorHandler((error: { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    const code = error instanceof ClinstreamError ? error.code : status < 500 ? 'REQUEST_INVALID' : 'INTERNAL';
    failed(code);
    return refuse(reply, status, code);
  });
  return app;
}

/** Why a request is none of the page's own. */
function refusal({ headers, method }: FastifyRequest, app: FastifyInstance): string | undefined {
  const { port } = app.server.address() as AddressInfo;
  const hosts = [`${HOST}:${port}`, `localhost:${port}`];
  if (headers.host === undefined || !hosts.includes(headers.host)) return 'HOST_REFUSED';
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'CROSS_SITE_REFUSED';
  if (method === 'GET' || method === 'HEAD') return undefined;
  const origin = headers.origin;
  return origin === `http://${headers.host}` ? undefined : 'ORIGIN_REFUSED';
}

function refuse(reply: FastifyReply, status: number, code: string): FastifyReply {
  return reply.code(status).send({ code });
}

/** In the order of the review's errors. */
function documentsByError({ documents, errors }: Review): ReviewDocument[] {
  const byError = new Map(documents.flatMap(document => document.errors.map(error => [error, document] as const)));
  return errors.map(error => byError.get(error) as ReviewDocument);
}

function rowOf(
  { model, file, split, goldSha256 }: Review,
  { document, textSha256, task, kind, start, end }: SpanError,
  { comment, ...said }: Pick<VerdictRow, 'verdict' | 'reviewer' | 'at'> & { comment: string | undefined },
): VerdictRow {
  return {
    format: 1,
    document,
    textSha256,
    task,
    kind,
    start,
    end,
    ...said,
    ...(comment === undefined || comment === '' ? {} : { comment }),
    model: model.sha256,
    gold: { file, split, sha256: goldSha256 },
  };
}

/** Computed anew only when a verdict has been added. */
function rememberSummary(review: Review, log: VerdictLog): () => string {
  let [text, rows] = ['', -1];
  return () => {
    log.refresh();
    if (log.rows.length !== rows) {
      text = renderSummary(summariseReview(review, log));
      rows = log.rows.length;
    }
    return text;
  };
}

function listenError(error: unknown, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return new TelemetryError('PORT_IN_USE', `port ${port} is in use: choose another with --port (0 takes a free one)`);
  if (code === 'EACCES')
    return new TelemetryError('ADDRESS_UNAVAILABLE', `port ${port} cannot be taken: below 1024 that needs privileges`);
  return error;
}
