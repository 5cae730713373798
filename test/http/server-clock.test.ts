import { AntennaClient, systemClock } from 'antenna-sdk';
import { createContractServer, createTestClock } from 'antenna-sdk/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  describeOffset,
  offsetMsOf,
  offsetOf,
  refine,
  ServerClock,
  type OffsetRange,
} from '../../src/http/server-clock.js';
import { KEY } from '../support/calls.js';
import { listeningLogger } from '../worker/executors/support.js';

const NOON = Date.UTC(2026, 6, 1, 12);
const dated = (serverMs: number): Record<string, string> => ({ date: new Date(serverMs).toUTCString() });

describe('offsetOf', () => {
  it('holds the true offset, whatever the way takes and wherever in its second the server is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -86_400_000, max: 86_400_000 }),
        fc.nat(20_000),
        fc.nat(20_000),
        fc.nat(999),
        (offsetMs, thereMs, backMs, fraction) => {
          const sentAtMs = NOON + fraction;
          const headers = dated(sentAtMs + thereMs + offsetMs);
          const range = offsetOf({ headers, sentAtMs, receivedAtMs: sentAtMs + thereMs + backMs });
          expect(range?.fromMs).toBeLessThanOrEqual(offsetMs);
          expect(range?.toMs).toBeGreaterThanOrEqual(offsetMs);
        },
      ),
    );
  });

  it.each([
    ['no date', {}],
    ['no date that can be read', { date: 'yesterday' }],
    ['the date of a cache', { ...dated(NOON), age: '4000' }],
  ])('learns nothing from %s', (_, headers) => {
    expect(offsetOf({ headers, sentAtMs: NOON, receivedAtMs: NOON })).toBeUndefined();
  });

  it('learns nothing when our clock was set back on the way', () => {
    expect(offsetOf({ headers: dated(NOON), sentAtMs: NOON, receivedAtMs: NOON - 1 })).toBeUndefined();
  });
});

describe('refine', () => {
  const range = (fromMs: number, toMs: number): OffsetRange => ({ fromMs, toMs });

  it('knows more with each answer that agrees, and believes the newer one when they do not', () => {
    expect(refine(undefined, range(0, 1_000))).toEqual(range(0, 1_000));
    expect(refine(range(0, 1_000), range(400, 1_500))).toEqual(range(400, 1_000));
    expect(refine(range(0, 1_000), range(5_000, 6_000))).toEqual(range(5_000, 6_000));
  });

  it('says 0 for clocks that may agree, and the middle otherwise', () => {
    expect(offsetMsOf(range(-200, 900))).toBe(0);
    expect(offsetMsOf(range(4_000, 5_000))).toBe(4_500);
  });
});

describe('ServerClock', () => {
  it('speaks once when the clock is more than a minute off, and again after it was set and went off again', () => {
    const told: number[] = [];
    const clock = new ServerClock((offsetMs) => told.push(offsetMs));
    const hear = (offsetMs: number): void => {
      clock.hear({ headers: dated(NOON + offsetMs), sentAtMs: NOON, receivedAtMs: NOON });
    };
    expect(clock.offsetMs).toBeUndefined();
    for (const offsetMs of [0, 59_000, 300_000, 300_000, 0, -300_000]) hear(offsetMs);
    expect(told).toEqual([300_500, -299_500]);
    expect(clock.offsetMs).toBe(-299_500);
  });

  it('is put in words that a person can act on', () => {
    expect(describeOffset(300_500)).toBe("this machine's clock is 301 s behind the server's");
    expect(describeOffset(-61_000)).toBe("this machine's clock is 61 s ahead of the server's");
    expect(describeOffset(0)).toContain('agrees');
    expect(describeOffset(undefined)).toContain('not told');
  });
});

describe('a client on a machine whose clock is five minutes slow', () => {
  it.each(['fetch', 'socket'])('knows it from the first answer, and logs it once (%s)', async (way) => {
    const clock = createTestClock();
    const server = createContractServer({ dialect: 'api-key', clock });
    const socket = way === 'socket' ? await server.listen() : undefined;
    const { logger, lines } = listeningLogger();
    const client = new AntennaClient({
      baseUrl: socket?.origin ?? server.baseUrl,
      apiKey: KEY,
      logger,
      clock: { ...systemClock, wallNow: () => clock.wallNow() - 300_000 },
      ...(socket ? {} : { fetch: server.fetch }),
    });
    expect(client.clockOffsetMs).toBeUndefined();
    for (let i = 0; i < 3; i++) await client.auth.me().catch(() => undefined);
    expect(Math.abs((client.clockOffsetMs ?? 0) - 300_000)).toBeLessThanOrEqual(1_000);
    expect(lines.filter((line) => line.includes('more than a minute off'))).toHaveLength(1);
    await client.close();
    await server.close();
  });
});
