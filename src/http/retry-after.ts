const IMF_FIXDATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const RFC_850 =
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/;
const ASCTIME = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;

/**
 * Reads a `Retry-After` header: whole or decimal seconds, or one of the three HTTP dates of RFC 9110 §5.6.7.
 *
 * @param header - the header's value.
 * @param wallNowMs - milliseconds since the epoch, to turn a date into a delay.
 * @returns milliseconds to wait, at least 0, or undefined when the header is absent or malformed. Malformed means "use the
 * usual backoff", never "do not retry".
 */
export function parseRetryAfter(header: string | undefined, wallNowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (!IMF_FIXDATE.test(text) && !RFC_850.test(text) && !ASCTIME.test(text)) return undefined;
  const at = new Date(ASCTIME.test(text) ? `${text} GMT` : text);
  // `Date` rolls 31 February over into March; what names no day is no date. Of each grammar, the first two digits alone are the day.
  const day = Number(/\b\d{1,2}\b/.exec(text)?.[0]);
  return at.getUTCDate() === day ? Math.max(0, at.getTime() - wallNowMs) : undefined;
}
