import type { Readable } from 'node:stream';
import { redact } from '../../http/redact.js';

/** Longest line that is passed on. */
const MAX_LINE_CHARS = 2_000;

/** Environment variables that hold a credential of the worker, by its own names and by those that others gave theirs. */
const CREDENTIALS = /^(?:AMI|ANTENNA)_(?:\w*_)?(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)(?:_\w+)?$/i;
const MIN_SECRET_CHARS = 8;
/** Credentials by form: an authorization scheme with what follows it. */
const AUTHORIZATION = /\b(Api-Key|Token|Bearer|Basic)\s+[\w.~+/=-]{8,}/gi;
/** The query of a URL: signed URLs of images carry their permission there. */
const URL_QUERY = /(\bhttps?:\/\/[^\s?"'<>]+)\?[^\s"'<>]+/gi;

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment for a process that runs a model: all but the worker's credentials, which it has no use for. */
export function withoutCredentials(env: Environment): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !CREDENTIALS.test(name)));
}

/** The values that must not appear in what a process prints. Shorter ones are no secrets, and would be found in every other word. */
export function credentialsIn(env: Environment): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    CREDENTIALS.test(name) && value !== undefined && value.length >= MIN_SECRET_CHARS ? [value] : [],
  );
}

/** A line as it may be logged. */
export function cleanLine(line: string, secrets: readonly string[]): string {
  return redact(line, secrets)
    .replace(AUTHORIZATION, '$1 [redacted]')
    .replace(URL_QUERY, '$1?[redacted]')
    .slice(0, MAX_LINE_CHARS);
}

/** Cuts a stream into lines. What a process prints is not ours to trust: a line without an end is cut, not collected. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split(/\r?\n/);
    rest = (lines.pop() ?? '').slice(-MAX_LINE_CHARS * 2);
    for (const line of lines) if (line !== '') onLine(line);
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
  stream.on('error', () => undefined);
}
