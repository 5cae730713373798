const MASK = '[redacted]';
/** What looks like an API key or a user token (contract §2), known to us or not: a new key, or somebody else's. */
const CREDENTIAL_SHAPES = /\b(?:[A-Za-z0-9]{8}\.[A-Za-z0-9]{32}|[0-9a-f]{40})\b/g;
/** Shortest secret that can be told from an ordinary word. */
const MIN_SECRET_CHARS = 6;
/** Longest piece of a secret that may stand: half a key, cut off by somebody's line length, is worth guessing at. */
const SLICE_CHARS = 12;
/** Levels of a JSON value that are looked through; a body of ten thousand brackets would exhaust the stack. */
const MAX_DEPTH = 50;

/**
 * Takes secrets out of a text that others wrote, whole or in pieces: a server that echoes what it was sent, a `fetch` that quotes
 * a header in its error. A last line of defence; our own texts never hold one.
 */
export function redact(text: string, secrets: readonly string[]): string {
  let clean = text.replace(CREDENTIAL_SHAPES, MASK);
  for (const secret of secrets) {
    if (secret.length >= MIN_SECRET_CHARS) clean = clean.replaceAll(secret, MASK);
    if (secret.length > SLICE_CHARS) clean = redactSlices(clean, secret);
  }
  return clean;
}

/** True if a text contains what has the form of an API key or a user token. */
export function holdsCredential(text: string): boolean {
  return text.search(CREDENTIAL_SHAPES) !== -1;
}

/** The same for every text inside a JSON value, names of fields included: in its raw form an escape could hide a secret. */
export function redactJson(value: unknown, secrets: readonly string[], depth = 0): unknown {
  if (depth > MAX_DEPTH) return MASK;
  if (typeof value === 'string') return redact(value, secrets);
  if (Array.isArray(value)) return value.map((item) => redactJson(item, secrets, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      redact(name, secrets),
      redactJson(item, secrets, depth + 1),
    ]),
  );
}

function redactSlices(text: string, secret: string): string {
  const slices = new Set(
    Array.from({ length: secret.length - SLICE_CHARS + 1 }, (_, at) => secret.slice(at, at + SLICE_CHARS)),
  );
  let clean = '';
  let copied = 0;
  for (let at = 0; at + SLICE_CHARS <= text.length; at++) {
    if (!slices.has(text.slice(at, at + SLICE_CHARS))) continue;
    let end = at + SLICE_CHARS;
    while (slices.has(text.slice(end - SLICE_CHARS + 1, end + 1))) end += 1;
    clean += text.slice(copied, at) + MASK;
    copied = end;
    at = end - 1;
  }
  return clean + text.slice(copied);
}
