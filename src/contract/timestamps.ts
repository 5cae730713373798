/**
 * Antenna sends naive local time of the server, without an offset (contract §1.3). Read as UTC or as the worker's
 * own zone, such a time is hours off, so the zone is part of the contract.
 */
export const SERVER_TIME_ZONE = 'America/New_York';

const ISO =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?$/;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

let zoneClock: Intl.DateTimeFormat | undefined;

/** Made when first needed: it takes 12 ms, a tenth of what loading the package may cost, and a worker reads few times. */
function serverClock(): Intl.DateTimeFormat {
  zoneClock ??= new Intl.DateTimeFormat('en-US', {
    timeZone: SERVER_TIME_ZONE,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return zoneClock;
}

/** Milliseconds to add to UTC to get the server's wall clock at that instant (−4 h in summer, −5 h in winter). */
function offsetMsAt(utcMs: number): number {
  const parts = new Map(
    serverClock()
      .formatToParts(utcMs)
      .map((part) => [part.type, Number(part.value)]),
  );
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
  const read = readIso(text);
  if (!read) throw notATimestamp(text);
  const { wallMs, fractionMs, offsetMinutes } = read;
  const utcMs = offsetMinutes === undefined ? serverWallToUtc(wallMs) : wallMs - offsetMinutes * MINUTE_MS;
  return new Date(utcMs + fractionMs);
}

/** True for an ISO 8601 date and time that exists and carries `Z` or an offset, in the forms that the server reads. */
export function isZonedTimestamp(text: string): boolean {
  return readIso(text)?.offsetMinutes !== undefined;
}

interface IsoParts {
  /** The clock's reading as if it were UTC, whole seconds. */
  wallMs: number;
  fractionMs: number;
  /** Undefined for a naive time. */
  offsetMinutes: number | undefined;
}

/**
 * Reads the digits itself: `new Date` also takes "5+0500" and half of what people type, rolls 30 February over into March,
 * and reads a naive time in the process's own zone.
 */
function readIso(text: string): IsoParts | undefined {
  const match = ISO.exec(text);
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((digits: string | undefined) => Number(digits ?? 0));
  const wallMs = Date.UTC(year, month - 1, day, hour, minute, second);
  const written = [year, month, day, hour, minute, second].join();
  const date = new Date(wallMs);
  const normal = [
    date.getUTCFullYear(),
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  ].join();
  if (written !== normal) return undefined;
  const fractionMs = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  return { wallMs, fractionMs, offsetMinutes: readOffset(match[8]) };
}

function readOffset(zone: string | undefined): number | undefined {
  if (zone === undefined) return undefined;
  if (zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', ''));
  return zone.startsWith('-') ? -minutes : minutes;
}

/** The instant at which the server's clock shows this reading. */
function serverWallToUtc(wallMs: number): number {
  const before = offsetMsAt(wallMs - DAY_MS);
  const after = offsetMsAt(wallMs + DAY_MS);
  const instants = [wallMs - before, wallMs - after].filter((utc) => utc + offsetMsAt(utc) === wallMs);
  return instants.length > 0 ? Math.min(...instants) : wallMs - before;
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
