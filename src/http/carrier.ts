import type { ConfigIssue } from '../errors/config.js';
import { dispatcherProblem } from './dispatcher-problem.js';

/** The options that say what carries the requests: at most one of them. */
export interface CarrierOptions {
  readonly proxy?: string | undefined;
  readonly dispatcher?: unknown;
  readonly fetch?: unknown;
}

const PROXY_VARIABLES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'];
const PROXY_FORM = 'must be a URL such as http://proxy.example:3128';

/** What is wrong with them, without quoting a proxy's address, which may hold a password. */
export function carrierIssues(
  options: CarrierOptions,
  env: Readonly<Record<string, string | undefined>>,
): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const carriers = (['proxy', 'dispatcher', 'fetch'] as const).filter((name) => options[name] !== undefined);
  if (carriers.length > 1) issues.push({ path: carriers.join(', '), message: 'exclude each other' });
  if (options.dispatcher !== undefined) {
    const problem = dispatcherProblem(options.dispatcher);
    if (problem !== undefined) issues.push({ path: 'dispatcher', message: problem });
  }
  if (options.proxy === 'env') {
    // Looked at now: undici looks at the first request, and answers with an error that names no variable.
    for (const name of PROXY_VARIABLES) {
      const value = env[name] ?? '';
      if (value !== '' && !isProxyUrl(value))
        issues.push({ path: 'proxy', message: `${name} ${PROXY_FORM}` });
    }
  } else if (options.proxy !== undefined && !isProxyUrl(options.proxy)) {
    issues.push({ path: 'proxy', message: `${PROXY_FORM}, or 'env'` });
  }
  return issues;
}

/** Whether requests may go through a proxy. With `'env'` that is for the variables to say. */
export function proxyInUse(proxy: string, env: Readonly<Record<string, string | undefined>>): boolean {
  return proxy !== 'env' || PROXY_VARIABLES.some((name) => (env[name] ?? '') !== '');
}

/** `localhost:3128` is a URL too, with the scheme `localhost:`. */
function isProxyUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
