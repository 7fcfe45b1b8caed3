/** The list of hosts to which anything of a note may be sent. */
import { TeacherError } from './teacher-error.ts';

/** @param allow host names, with a port where only that one is meant. @throws TeacherError EGRESS_DENIED */
export function requireEgress(url: URL, allow: readonly string[]): void {
  if (allow.includes(url.host) || allow.includes(url.hostname)) return;
  throw new TeacherError('EGRESS_DENIED', `${url.host} is not in egress.allow: notes may not be sent there`, {
    details: { host: url.host },
  });
}
