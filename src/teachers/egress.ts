/**
 * Notes go only to hosts that a person named in `egress.allow`. An entry `host` allows that host over https, at any port, and
 * over http only on this machine; an entry `host:port` allows that port over either. There are no wildcards. A proxy of the environment
 * that would read a request over http must be named too.
 */
import { isLoopback } from '../core/loopback.ts';
import { readingProxy } from './env-proxy.ts';
import { TeacherError } from './teacher-error.ts';

export interface EgressQuestion {
  /** Named in the error. */
  readonly teacher: string;
  readonly url: string | URL;
  /** The `egress.allow` list. */
  readonly allow: readonly string[];
  /** By default this process's: whether requests go through a proxy. */
  readonly runtime?: { readonly env: NodeJS.ProcessEnv; readonly execArgv: readonly string[] };
}

/** The URL's host, with the port when it is not the scheme's own. @throws TeacherError EGRESS_DENIED */
export function allowedHost({ teacher, url, allow, runtime = process }: EgressQuestion): string {
  const target = parse(teacher, url);
  const { host, hostname } = target;
  const denied = (what: string): TeacherError =>
    new TeacherError('EGRESS_DENIED', `${teacher}: ${what}`, { details: { teacher, host } });
  if (!isNamed(target, allow)) {
    const port = portOf(target);
    throw denied(
      entriesOf(allow).includes(hostname)
        ? `notes may not go to ${hostname} unencrypted: use https, or allow ${hostname}:${port} in egress.allow`
        : `notes may not go to ${host}: egress.allow does not name it`,
    );
  }
  const proxy = readingProxy({ url: target, env: runtime.env, execArgv: runtime.execArgv });
  if (proxy === null || (proxy !== undefined && isNamed(proxy, allow))) return host;
  const through = proxy === undefined ? 'a proxy' : `the proxy ${proxy.host}`;
  throw denied(
    `notes for ${host} may not go through ${through} unencrypted: use https, put ${hostname} in NO_PROXY, or allow the proxy in egress.allow`,
  );
}

function isNamed(target: URL, allow: readonly string[]): boolean {
  const { hostname, protocol } = target;
  const entries = entriesOf(allow);
  const wire = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
  return (
    (wire && entries.includes(hostname)) ||
    (/^https?:$/.test(protocol) && entries.includes(`${hostname}:${portOf(target)}`))
  );
}

function entriesOf(allow: readonly string[]): string[] {
  return allow.map(entry => entry.trim().toLowerCase());
}

function portOf({ port, protocol }: URL): string {
  return port === '' ? (protocol === 'https:' ? '443' : '80') : port;
}

function parse(teacher: string, url: string | URL): URL {
  // the text of a wrong URL is not repeated: it may hold a password
  const target = URL.canParse(String(url)) ? new URL(String(url)) : undefined;
  if (target === undefined || target.username !== '' || target.password !== '') {
    throw new TeacherError('EGRESS_DENIED', `${teacher}: its base URL is not a URL, or holds a password`, {
      details: { teacher },
    });
  }
  return target;
}
