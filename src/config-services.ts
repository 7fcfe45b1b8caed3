/**
 * Kubernetes sets variables for the Services of a namespace in its pods, after the manner of Docker's links: those of a Service named
 * clinstream, or clinstream-anything, begin as our own options do. See config.ts.
 */
const FORMS =
  /^CLINSTREAM_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;

/** Whether a variable that is no option of ours has the form of those. */
export function isOfService(name: string, value: string): boolean {
  return FORMS.test(name) || (/^CLINSTREAM_([A-Z0-9_]+_)?PORT$/.test(name) && /^(tcp|udp|sctp):\/\//.test(value));
}
