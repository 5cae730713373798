import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRetryAfter } from '../../src/http/retry-after.js';

const now = Date.UTC(2026, 1, 28, 12, 0, 0);
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The same instant in the three grammars of RFC 9110 §5.6.7. */
function httpDates(at: Date): string[] {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = DAYS[at.getUTCDay()] ?? '';
  const month = MONTHS[at.getUTCMonth()] ?? '';
  const time = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()].map(two).join(':');
  const year = at.getUTCFullYear();
  return [
    `${day.slice(0, 3)}, ${two(at.getUTCDate())} ${month} ${year} ${time} GMT`,
    `${day}, ${two(at.getUTCDate())}-${month}-${two(year % 100)} ${time} GMT`,
    `${day.slice(0, 3)} ${month} ${String(at.getUTCDate()).padStart(2, ' ')} ${time} ${year}`,
  ];
}

describe('parseRetryAfter', () => {
  it('reads any second of the coming decade in each grammar', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300_000_000 }), (seconds) => {
        const dates = httpDates(new Date(now + seconds * 1000));
        return dates.every((text) => parseRetryAfter(text, now) === seconds * 1000);
      }),
    );
  });

  it('takes any whole number of seconds', () => {
    fc.assert(fc.property(fc.nat(), (seconds) => parseRetryAfter(` ${seconds} `, now) === seconds * 1000));
  });

  it.each([
    'Sat, 31 Feb 2026 12:00:00 GMT',
    'Sat, 28 Foo 2026 12:00:00 GMT',
    'Sat, 28 Feb 2026 25:00:00 GMT',
    '2026-02-28T12:01:00Z',
    '12 seconds',
    '1e3',
    '+5',
    'Infinity',
    '0x10',
  ])('takes %j for no header at all, which means the usual backoff', (text) => {
    expect(parseRetryAfter(text, now)).toBeUndefined();
  });

  it('never answers less than nothing, or something that is no number', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const read = parseRetryAfter(text, now);
        return read === undefined || read >= 0;
      }),
    );
  });
});
