/**
 * Whether Node would send a plain HTTP request through a proxy of the environment (https://nodejs.org/api/http.html, "Built-in Proxy
 * Support"): that proxy reads it. HTTPS goes through a proxy as a CONNECT tunnel, of which it learns the host and nothing else.
 */

export interface ProxyQuestion {
  readonly url: URL;
  readonly env: NodeJS.ProcessEnv;
  /** Node's own options, as in `process.execArgv`. */
  readonly execArgv: readonly string[];
}

/** The proxy that would read the request, without its credentials; null where none would; undefined where its address is no URL. */
export function readingProxy({ url, env, execArgv }: ProxyQuestion): URL | null | undefined {
  if (url.protocol !== 'http:' || !isOn(env, execArgv)) return null;
  const proxy = env.http_proxy ?? env.HTTP_PROXY ?? '';
  if (proxy === '' || isExcepted(url.hostname, env.no_proxy ?? env.NO_PROXY ?? '')) return null;
  if (!URL.canParse(proxy)) return undefined;
  const bare = new URL(proxy);
  bare.username = '';
  bare.password = '';
  return bare;
}

/** Node takes the option with underscores too and, in NODE_OPTIONS, quoted or escaped in part: what only may be it is refused. */
function isOn(env: NodeJS.ProcessEnv, execArgv: readonly string[]): boolean {
  const options = [...execArgv, (env.NODE_OPTIONS ?? '').replace(/["'\\]/g, '')];
  return env.NODE_USE_ENV_PROXY === '1' || options.some(each => /--use[-_]env[-_]proxy/.test(each));
}

/** Only what is certain: Node knows more forms, and where this is wrong a request is refused, not sent. */
function isExcepted(hostname: string, exceptions: string): boolean {
  return exceptions.split(/[\s,]+/).some(each => each === '*' || each.toLowerCase() === hostname);
}
