/** Everything that can go wrong behind an HTTP address, on demand. */
import type { ServerResponse } from 'node:http';

export type BioportalFault =
  | { readonly kind: 'hang' }
  /** One byte after each interval, in milliseconds, for as long as anyone listens. */
  | { readonly kind: 'crawl'; readonly everyMs: number }
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Half an answer, then the connection is closed. */
  | { readonly kind: 'cut' }
  /** The connection is closed before anything is answered. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'body'; readonly body: string }
  /** The right places, shifted. */
  | { readonly kind: 'shifted'; readonly by: number };

export function misbehave(fault: BioportalFault, response: ServerResponse, answer: string): void {
  switch (fault.kind) {
    case 'hang':
      return;
    case 'crawl': {
      response.writeHead(200, { 'content-type': 'application/json' });
      let at = 0;
      const timer = setInterval(() => response.write(answer[at++ % answer.length] as string), fault.everyMs);
      response.on('close', () => clearInterval(timer));
      return;
    }
    case 'status':
      response.writeHead(fault.status, { 'content-type': 'text/html', ...fault.headers });
      response.end('<html>simulated</html>');
      return;
    case 'cut':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(answer.length + 1) });
      response.write(answer.slice(0, answer.length / 2), () => response.destroy());
      return;
    case 'reset':
      response.destroy();
      return;
    case 'body':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(fault.body);
      return;
    case 'shifted':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        answer.replaceAll(/"(from|to)":(\d+)/g, (_, key: string, at: string) => `"${key}":${Number(at) + fault.by}`),
      );
  }
}
