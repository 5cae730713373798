import { PermanentTaskError } from '../handler/task-errors.js';

/** An image's place, without what must not travel with it. */
export interface ImagePlace {
  /** Without user and password: a `fetch` refuses a URL that has them, and an error may quote one. */
  readonly url: URL;
  /** `Basic …` if the job's URL named a user, else undefined. For the URL's own origin. */
  readonly authorization: string | undefined;
}

/**
 * Where the image of a task is.
 * @throws PermanentTaskError for anything but an http or https URL.
 */
export function imagePlace(text: string): ImagePlace {
  const url = httpUrl(text);
  const { username, password } = url;
  // Nearly every URL, and parsing one anew to take nothing out of it is not free.
  if (username === '' && password === '') return { url, authorization: undefined };
  const pair = `${decoded(username)}:${decoded(password)}`;
  return { url: withoutUser(url), authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/**
 * Where a redirect leads. A user that it names is left out: who may see an image is for the job to say.
 * @throws PermanentTaskError for anything but an http or https URL.
 */
export function redirectTarget(location: string, from: URL): URL {
  return withoutUser(httpUrl(location, from.href));
}

/**
 * Checks a URL against the option `hosts`.
 * @throws PermanentTaskError naming the host and the option.
 */
export function checkHost(url: URL, patterns: readonly string[] | undefined): void {
  if (patterns === undefined || patterns.some((pattern) => matches(url, pattern))) return;
  throw new PermanentTaskError(
    `image download failed: ${url.host} is not among the worker's download.hosts; add it there if its images are wanted`,
  );
}

/** Whether a text is `host`, `*.host` or one of these with `:port`. */
export function isHostPattern(text: string): boolean {
  const { host } = parsePattern(text);
  const url = URL.canParse(`http://${host}`) ? new URL(`http://${host}`) : undefined;
  // Nothing but a host and a port: no scheme, user, path or query.
  return url !== undefined && /^[^/?#@\\*\s]*[^/?#@\\*\s:]$/.test(host) && url.hostname !== '';
}

/** Takes the URLs out of a text that others wrote: the query of one may be a signature that opens the image to everybody. */
export function withoutUrls(text: string): string {
  return text.replace(/\bhttps?:\/\/[^\s"'<>]*/gi, '[url]');
}

function matches(url: URL, pattern: string): boolean {
  const { host, below } = parsePattern(pattern);
  const wanted = new URL(`http://${host}`);
  const port = /:\d+$/.exec(host)?.[0].slice(1);
  if (port !== undefined && Number(port) !== portOf(url)) return false;
  const name = bare(url.hostname);
  return below ? name.endsWith(`.${bare(wanted.hostname)}`) : name === bare(wanted.hostname);
}

function parsePattern(pattern: string): { readonly host: string; readonly below: boolean } {
  const below = pattern.startsWith('*.');
  return { host: below ? pattern.slice(2) : pattern, below };
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

/** Without the dot at the end with which DNS marks a name as whole: it is the same host. */
function bare(hostname: string): string {
  return hostname.replace(/\.$/, '');
}

/** A `%` that begins no escape stands for itself, as people type it. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function withoutUser(url: URL): URL {
  const clean = new URL(url);
  clean.username = '';
  clean.password = '';
  return clean;
}

function httpUrl(text: string, base?: string): URL {
  const url = parsed(text, base);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new PermanentTaskError(
    `image download failed: ${url?.protocol ?? 'invalid'} URLs are not downloaded, only http and https`,
  );
}

/** Parses once, where asking first whether it can be parsed does it twice. */
function parsed(text: string, base: string | undefined): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}
