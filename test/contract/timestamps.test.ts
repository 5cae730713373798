import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  formatServerTimestamp,
  isZonedTimestamp,
  parseServerTimestamp,
} from '../../src/contract/timestamps.js';

const HOUR_MS = 3_600_000;
const iso = (text: string): string => parseServerTimestamp(text).toISOString();

/** The first of the two equal readings of the autumn hour: its second occurrence cannot be told from it. */
const isSecondOccurrence = (utcMs: number): boolean =>
  formatServerTimestamp(utcMs) === formatServerTimestamp(utcMs - HOUR_MS);

const instants = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) });
/** Within two hours of a change of the clocks in 2007–2037 (since 2007: second Sunday of March, first of November). */
const nearChanges = fc
  .tuple(
    fc.integer({ min: 2007, max: 2037 }),
    fc.boolean(),
    fc.integer({ min: -2 * HOUR_MS, max: 2 * HOUR_MS }),
  )
  .map(([year, spring, shiftMs]) => {
    const first = new Date(Date.UTC(year, spring ? 2 : 10, 1)).getUTCDay();
    const day = 1 + ((7 - first) % 7) + (spring ? 7 : 0);
    return Date.UTC(year, spring ? 2 : 10, day, spring ? 7 : 6) + shiftMs;
  });

describe.each(['UTC', 'America/New_York', 'Pacific/Kiritimati', 'Europe/Berlin', 'Australia/Lord_Howe'])(
  'server times, in a process that runs in %s,',
  (zone) => {
    const before = process.env['TZ'];
    beforeEach(() => {
      process.env['TZ'] = zone;
    });
    afterEach(() => {
      if (before === undefined) delete process.env['TZ'];
      else process.env['TZ'] = before;
    });

    it('(the process does run there)', () => {
      expect(Intl.DateTimeFormat().resolvedOptions().timeZone).toBe(zone);
      expect(new Date(0).getHours()).toBe(
        {
          UTC: 0,
          'America/New_York': 19,
          'Pacific/Kiritimati': 13,
          'Europe/Berlin': 1,
          'Australia/Lord_Howe': 10,
        }[zone],
      );
    });

    it('are read in New York time, winter and summer', () => {
      expect(iso('2026-11-20T21:56:08.426661')).toBe('2026-11-21T02:56:08.426Z');
      expect(iso('2026-07-20T21:56:08.426661')).toBe('2026-07-21T01:56:08.426Z');
    });

    it('are written and read back to the same millisecond, but for the second of the two equal autumn hours', () => {
      fc.assert(
        fc.property(fc.oneof(instants, nearChanges), (utcMs) => {
          const read = parseServerTimestamp(formatServerTimestamp(utcMs)).getTime();
          expect(read).toBe(isSecondOccurrence(utcMs) ? utcMs - HOUR_MS : utcMs);
        }),
        { numRuns: 400 },
      );
    });

    it('move on by an hour when the clocks go forward', () => {
      expect(iso('2026-03-08T01:59:59.999')).toBe('2026-03-08T06:59:59.999Z');
      expect(iso('2026-03-08T03:00:00')).toBe('2026-03-08T07:00:00.000Z');
    });

    it('that spring skips are read with the offset before the change', () => {
      expect(iso('2026-03-08T02:30:00')).toBe('2026-03-08T07:30:00.000Z');
    });

    it('that happen twice in autumn mean the first occurrence', () => {
      expect(iso('2026-11-01T00:59:59')).toBe('2026-11-01T04:59:59.000Z');
      expect(iso('2026-11-01T01:30:00')).toBe('2026-11-01T05:30:00.000Z');
      expect(iso('2026-11-01T02:00:00')).toBe('2026-11-01T07:00:00.000Z');
    });

    it('with an offset or Z are taken at their word', () => {
      expect(iso('2026-11-20T21:56:08Z')).toBe('2026-11-20T21:56:08.000Z');
      expect(iso('2026-11-20T21:56:08.5+02:00')).toBe('2026-11-20T19:56:08.500Z');
      expect(iso('2026-11-20 21:56-0530')).toBe('2026-11-21T03:26:00.000Z');
      expect(iso('2026-11-20T21:56:08+05')).toBe('2026-11-20T16:56:08.000Z');
    });
  },
);

describe('fractions of a second', () => {
  it('are cut to milliseconds, never rounded into the next second', () => {
    expect(iso('2026-11-20T21:56:59.999999')).toBe('2026-11-21T02:56:59.999Z');
    expect(iso('2026-11-20T21:56:59.9')).toBe('2026-11-21T02:56:59.900Z');
    expect(iso('2026-11-20T21:56:59.000001')).toBe('2026-11-21T02:56:59.000Z');
  });

  it('are written as microseconds, and left out when zero, as the server does', () => {
    expect(formatServerTimestamp(new Date('2026-11-21T02:56:08.426Z'))).toBe('2026-11-20T21:56:08.426000');
    expect(formatServerTimestamp(new Date('2026-11-21T02:56:08.000Z'))).toBe('2026-11-20T21:56:08');
  });

  it('of a millisecond in the argument do not disturb the rest', () => {
    expect(formatServerTimestamp(Date.parse('2026-11-21T02:56:08.426Z') + 0.7)).toBe(
      '2026-11-20T21:56:08.426000',
    );
  });
});

describe('what is no timestamp', () => {
  it.each([
    '',
    'yesterday',
    '2026-11-20',
    '2026-11-20T21',
    '2026-11-20T21:56:08.',
    '2026-11-20T24:00:00',
    '2026-11-20T21:60:00',
    '2026-11-20T21:56:60',
    '2026-13-01T00:00:00',
    '2026-02-30T00:00:00',
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00',
    '2026-11-20T21:56:08+25:00',
    '2026-11-20T21:56:08z',
    '5+0500',
    'Fri, 20 Nov 2026 21:56:08 Z',
    ' 2026-11-20T21:56:08',
    '2026-11-20T21:56:08\n',
    '1795229820',
  ])('%j is a RangeError that shows it', (text) => {
    expect(() => parseServerTimestamp(text)).toThrow(RangeError);
    expect(() => parseServerTimestamp(text)).toThrow(JSON.stringify(text).slice(0, 40));
  });

  it('is shown in part when it is long', () => {
    expect(() => parseServerTimestamp('x'.repeat(5_000))).toThrow(/^.{1,80}$/);
  });

  it('never escapes as anything but a RangeError, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[Z+-]?$/)),
        (text) => {
          try {
            expect(parseServerTimestamp(text).getTime()).not.toBeNaN();
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        },
      ),
    );
  });
});

describe('times that we send', () => {
  it('name their zone if they come from toISOString, and a server time never does', () => {
    fc.assert(
      fc.property(instants, (utcMs) => {
        expect(isZonedTimestamp(new Date(utcMs).toISOString())).toBe(true);
        expect(isZonedTimestamp(formatServerTimestamp(utcMs))).toBe(false);
      }),
    );
  });
});
