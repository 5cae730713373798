const MASK = '[redacted]';
/** What looks like an API key or a user token (contract §2), known to us or not: a new key, or somebody else's. */
const CREDENTIAL_SHAPES = /\b(?:[A-Za-z0-9]{8}\.[A-Za-z0-9]{32}|[0-9a-f]{40})\b/g;
/** Shortest piece of a secret that counts as a leak. */
const MIN_SECRET_CHARS = 6;

/**
 * Takes secrets out of a text that others wrote: a server that echoes what it was sent, a `fetch` that quotes a header in its
 * error. A last line of defence; our own texts never hold one.
 */
export function redact(text: string, secrets: readonly string[]): string {
  let clean = text.replace(CREDENTIAL_SHAPES, MASK);
  for (const secret of secrets) {
    if (secret.length >= MIN_SECRET_CHARS) clean = clean.replaceAll(secret, MASK);
    // An API key may be quoted by its secret half alone.
    const half = secret.split('.').at(-1) ?? '';
    if (half !== secret && half.length >= 12) clean = clean.replaceAll(half, MASK);
  }
  return clean;
}
