const MASK = '[redacted]';
/** Shortest piece of a secret that counts as a leak. */
const MIN_SECRET_CHARS = 6;

/**
 * Takes secrets out of a text that others wrote: a server that echoes what it was sent, a `fetch` that quotes a header in its
 * error. A last line of defence; our own texts never hold one.
 */
export function redact(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.length >= MIN_SECRET_CHARS) clean = clean.replaceAll(secret, MASK);
    // An API key may be quoted by its secret half alone.
    const half = secret.split('.').at(-1) ?? '';
    if (half !== secret && half.length >= 12) clean = clean.replaceAll(half, MASK);
  }
  return clean;
}
