import { AntennaConfigError } from '../errors/config.js';
import type { QueryValue } from './operation.js';

/** Prefix of the API on every Antenna server (contract §1.1). */
const API_PREFIX = '/api/v2';

/** Result of {@link parseBaseUrl}. */
export type BaseUrl =
  { readonly ok: true; readonly url: URL } | { readonly ok: false; readonly problem: string };

/**
 * Reads the server's address: `https://host`, `https://host/api/v2` or either below a path. `/api/v2` is added when missing.
 * Problems never quote the address, which may hold a password.
 */
export function parseBaseUrl(text: string): BaseUrl {
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    return { ok: false, problem: 'is not a URL; it should look like https://antenna.example.org' };
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return {
      ok: false,
      problem: `must start with https:// (or http:// for a local server), not ${url.protocol}//`,
    };
  }
  if (url.username !== '' || url.password !== '') {
    return { ok: false, problem: 'must not contain a user name or password; use the credential options' };
  }
  if (url.search !== '' || url.hash !== '')
    return { ok: false, problem: 'must not have a query or a fragment' };
  // Doubled slashes come from joining strings. Left in place, `//api/v2` would be read as the host `api`, and get the key.
  const path = url.pathname.replace(/\/{2,}/g, '/').replace(/\/$/, '');
  const problem = pathProblem(path);
  if (problem !== undefined) return { ok: false, problem };
  url.pathname = /\/api\/v\d+$/.test(path) ? path : `${path}${API_PREFIX}`;
  return { ok: true, url };
}

/** Names of the server's own pages and resources; at the end of a path, or before an id, they are no place where a server lives. */
const RESOURCE = /\/(?:projects|jobs|ml|users|auth|pipelines|processing_services)(?:\/\d+(?:\/|$)|$)/;

/** An address that was copied from the browser or from a log leads to 404s that look like a server without anything. */
function pathProblem(path: string): string | undefined {
  const wanted = 'give the address of the server alone, such as https://antenna.example.org';
  if (/\/api\/v\d+\/./.test(path)) return `goes on after /api/v2: ${wanted}, with or without /api/v2`;
  if (/\/api\/v\d+$/.test(path)) return undefined;
  if (/\/api$/.test(path)) return `ends in /api: ${wanted}, or with the version, /api/v2`;
  return RESOURCE.test(path) ? `is the address of a page or a resource: ${wanted}` : undefined;
}

/** True for hosts whose traffic never leaves the machine, where plain http is harmless. */
export function isLoopback(url: URL): boolean {
  const host = url.hostname;
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    /^127(?:\.\d{1,3}){3}$/.test(host)
  );
}

/** True if what is sent there cannot be read on the way, or the caller said that it may be. */
export function isConfidential(url: URL, allowInsecureHttp = false): boolean {
  return url.protocol === 'https:' || isLoopback(url) || allowInsecureHttp;
}

/**
 * Fills `{name}` in a path template.
 * @throws AntennaConfigError if a parameter is missing, empty, or would change the path (`.`, `..`).
 */
export function fillPath(template: string, params: Readonly<Record<string, string | number>> = {}): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    const text = typeof value === 'number' && !Number.isSafeInteger(value) ? '' : String(value ?? '');
    if (text === '' || text === '.' || text === '..' || !isWellFormed(text)) {
      throw new AntennaConfigError(`Cannot build the path ${template}`, [
        {
          path: name,
          message: `must be an id, got ${value === undefined ? 'nothing' : String(value)}`,
        },
      ]);
    }
    return encodeURIComponent(text);
  });
}

/** False for half of a surrogate pair, for which `encodeURIComponent` throws an error without a name. */
function isWellFormed(text: string): boolean {
  return !/[\ud800-\udfff]/u.test(text);
}

/** Writes a query string with its `?`, or nothing. Booleans become `1` and `0`: the server reads even `no` as true (T18). */
export function buildQuery(query: Readonly<Record<string, QueryValue>> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue;
    search.append(name, typeof value === 'boolean' ? (value ? '1' : '0') : String(value));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/**
 * The query of a `next` link. Only this part is used: the link is absolute and built from the server's idea of its own host, which
 * behind a proxy may be an inner one; following it as it stands would hand the key to whatever host it names.
 *
 * @returns the query parameters, and whether the link points to another origin than the client's; undefined for what is no link.
 */
export function readNextLink(
  next: string,
  base: URL,
): { query: Record<string, string>; foreignOrigin: boolean } | undefined {
  if (!URL.canParse(next, base.href)) return undefined;
  const link = new URL(next, base);
  return { query: Object.fromEntries(link.searchParams), foreignOrigin: link.origin !== base.origin };
}
