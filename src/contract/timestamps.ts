/**
 * Antenna sends naive local time of the server, without an offset (contract §1.3). Read as UTC or as the worker's
 * own zone, such a time is hours off, so the zone is part of the contract.
 */
export const SERVER_TIME_ZONE = 'America/New_York';

const NAIVE = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/;
const WITH_OFFSET = /(?:Z|[+-]\d{2}:?\d{2})$/;
const DAY_MS = 86_400_000;

const zoneClock = new Intl.DateTimeFormat('en-US', {
  timeZone: SERVER_TIME_ZONE,
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** Milliseconds to add to UTC to get the server's wall clock at that instant (−4 h in summer, −5 h in winter). */
function offsetMsAt(utcMs: number): number {
  const parts = new Map(zoneClock.formatToParts(utcMs).map((part) => [part.type, Number(part.value)]));
  const read = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const wall = Date.UTC(
    read('year'),
    read('month') - 1,
    read('day'),
    read('hour'),
    read('minute'),
    read('second'),
  );
  return wall - Math.floor(utcMs / 1000) * 1000;
}

/**
 * Turns a server timestamp such as `"2026-11-20T21:56:08.426661"` into a `Date`.
 *
 * A timestamp with an offset or `Z` is taken at its word. A naive one is New York time, daylight saving included: the
 * hour that happens twice in autumn means its first occurrence (as Python's `fold=0`, which the server uses), and an hour
 * that spring skips is read with the offset in force before the change.
 *
 * @param text - ISO 8601 date and time; fractions beyond milliseconds are cut.
 * @returns the instant.
 * @throws RangeError if the text is no timestamp or names an impossible date.
 */
export function parseServerTimestamp(text: string): Date {
  const match = NAIVE.exec(text);
  if (!match) {
    const instant = WITH_OFFSET.test(text) ? new Date(text) : undefined;
    if (instant === undefined || Number.isNaN(instant.getTime())) throw notATimestamp(text);
    return instant;
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const wholeMs = Date.UTC(year, month - 1, day, hour, minute, second);
  const check = new Date(wholeMs);
  // Date.UTC rolls 31 April over into May; the server never sends that, so a rolled date is damage.
  if (
    check.getUTCMonth() !== month - 1 ||
    check.getUTCDate() !== day ||
    hour > 23 ||
    minute > 59 ||
    second > 59
  ) {
    throw notATimestamp(text);
  }
  const before = offsetMsAt(wholeMs - DAY_MS);
  const after = offsetMsAt(wholeMs + DAY_MS);
  const instants = [wholeMs - before, wholeMs - after].filter((utc) => utc + offsetMsAt(utc) === wholeMs);
  const utcMs = instants.length > 0 ? Math.min(...instants) : wholeMs - before;
  const fractionMs = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  return new Date(utcMs + fractionMs);
}

function notATimestamp(text: string): RangeError {
  return new RangeError(`Not a server timestamp: ${JSON.stringify(text.slice(0, 40))}`);
}

/**
 * The inverse of {@link parseServerTimestamp}: how the server writes an instant (naive New York time; the fraction is
 * absent when zero). The contract server uses it.
 */
export function formatServerTimestamp(instant: Date | number): string {
  const utcMs = Math.floor(typeof instant === 'number' ? instant : instant.getTime());
  const iso = new Date(utcMs + offsetMsAt(utcMs)).toISOString().slice(0, -1);
  return iso.endsWith('.000') ? iso.slice(0, -4) : `${iso}000`;
}
