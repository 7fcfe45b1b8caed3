/**
 * Notes go only to hosts that a person named in `egress.allow`. An entry `host` allows that host over https, at any port, and
 * over http only on this machine; an entry `host:port` allows that port over either. There are no wildcards.
 */
import { TeacherError } from './teacher-error.ts';

export interface EgressQuestion {
  /** Named in the error. */
  readonly teacher: string;
  readonly url: string | URL;
  /** The `egress.allow` list. */
  readonly allow: readonly string[];
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** The URL's host, with the port when it is not the scheme's own. @throws TeacherError EGRESS_DENIED */
export function allowedHost({ teacher, url, allow }: EgressQuestion): string {
  const target = parse(teacher, url);
  const { hostname, protocol } = target;
  const port = target.port === '' ? (protocol === 'https:' ? '443' : '80') : target.port;
  const entries = allow.map(entry => entry.trim().toLowerCase());
  const wire = protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname));
  if ((wire && entries.includes(hostname)) || (/^https?:$/.test(protocol) && entries.includes(`${hostname}:${port}`))) {
    return target.host;
  }
  throw new TeacherError(
    'EGRESS_DENIED',
    entries.includes(hostname)
      ? `${teacher}: notes may not go to ${hostname} unencrypted: use https, or allow ${hostname}:${port} in egress.allow`
      : `${teacher}: notes may not go to ${target.host}: egress.allow does not name it`,
    { details: { teacher, host: target.host } },
  );
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
