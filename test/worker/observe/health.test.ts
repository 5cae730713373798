import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { health, HEALTH_LIMITS, type HealthFacts } from '../../../src/worker/observe/health.js';
import { factsOf, NOW_MS } from './support.js';

const judge = (changes: Partial<HealthFacts>) => health(factsOf(changes), NOW_MS);
const bad = (changes: Partial<HealthFacts>): unknown[] =>
  judge(changes).checks.flatMap(({ name, status }) => (status === 'ok' ? [] : [name, status]));

describe('health', () => {
  it('is fine for a worker that has had nothing to do for a day', () => {
    expect(judge({})).toMatchObject({ status: 'ok', live: true, ready: true });
  });

  it.each([
    ['whose loop has not turned', { lastTurnAtMs: NOW_MS - 120_001 }, 'loop'],
    ['whose loop has never turned', { lastTurnAtMs: undefined }, 'loop'],
    ['that holds a task for ever', { oldestHeldAtMs: NOW_MS - 1_800_001 }, 'held'],
  ])('asks for a restart of a worker %s', (_, changes, name) => {
    expect(judge(changes)).toMatchObject({ status: 'stuck', live: false, ready: false });
    expect(bad(changes)).toEqual([name, 'stuck']);
  });

  it.each([
    ['whose server is away', { lastContactAtMs: NOW_MS - 300_001 }, 'contact'],
    ['whose results do not get through', { oldestOutboxAtMs: NOW_MS - 480_001 }, 'outbox'],
    ['whose outbox is full', { outboxFull: true }, 'spool'],
    ['whose disk cannot be written', { spoolFailing: true }, 'spool'],
    ['whose handler blocks the event loop', { loopDelayMs: 1_001 }, 'delay'],
    ['whose handlers only crash', { consecutiveCrashes: 5 }, 'handlers'],
    ['whose clock is more than a minute slow', { clockOffsetMs: 61_000 }, 'clock'],
    ['whose clock is more than a minute fast', { clockOffsetMs: -61_000 }, 'clock'],
  ])('asks for no restart of a worker %s, which would not help, but says so', (_, changes, name) => {
    expect(judge(changes)).toMatchObject({ status: 'degraded', live: true, ready: false });
    expect(bad(changes)).toEqual([name, 'degraded']);
  });

  it('is degraded at once for what waiting does not mend, and stays ready if a part of the work goes on', () => {
    const trouble = (partial: boolean) => ({ detail: 'job 7: the answer is text/html', partial });
    expect(judge({ serverTroubles: [trouble(false)] })).toMatchObject({
      status: 'degraded',
      live: true,
      ready: false,
    });
    expect(judge({ serverTroubles: [trouble(true)] })).toMatchObject({
      status: 'degraded',
      live: true,
      ready: true,
    });
    expect(judge({ serverTroubles: [trouble(true)], outboxFull: true }).ready).toBe(false);
    const many = judge({ serverTroubles: Array.from({ length: 9 }, () => trouble(true)) });
    const detail = many.checks.find(({ name }) => name === 'server')?.detail;
    expect(detail).toMatch(/^job 7: the answer is text\/html; .*; and 6 more like these$/);
  });

  it('of a worker that never reached its server says so, and is no longer fine once a request has failed', () => {
    const young = { startedAtMs: NOW_MS - 8_000, lastContactAtMs: undefined };
    const contact = (changes: Partial<HealthFacts>) =>
      judge({ ...young, ...changes }).checks.find(({ name }) => name === 'contact');
    expect(contact({})).toMatchObject({
      status: 'ok',
      detail: 'the server has not answered since the start 8.0 s ago',
    });
    expect(contact({ lastFailure: 'listing: refused' })).toMatchObject({
      status: 'degraded',
      detail: 'the server has not answered since the start 8.0 s ago; listing: refused',
    });
    expect(contact({ startedAtMs: NOW_MS - 300_001 })?.status).toBe('degraded');
    // One that was there may be away for a while.
    expect(contact({ lastContactAtMs: NOW_MS - 8_000, lastFailure: 'listing: refused' })).toMatchObject({
      status: 'ok',
      detail: 'last answer of the server 8.0 s ago; listing: refused',
    });
  });

  it('of a worker whose run failed says why, and asks for a restart', () => {
    expect(judge({ state: 'failed', runFailure: 'no model' })).toEqual({
      state: 'failed',
      status: 'stuck',
      live: false,
      ready: false,
      checks: [{ name: 'run', status: 'stuck', detail: 'the run failed: no model' }],
    });
  });

  it('tells by facts: everything at its limit is still fine', () => {
    const facts = factsOf({
      lastTurnAtMs: NOW_MS - HEALTH_LIMITS.turnMs,
      lastContactAtMs: NOW_MS - HEALTH_LIMITS.contactMs,
      oldestHeldAtMs: NOW_MS - HEALTH_LIMITS.heldMs,
      oldestOutboxAtMs: NOW_MS - HEALTH_LIMITS.outboxMs,
      loopDelayMs: HEALTH_LIMITS.loopDelayMs,
    });
    expect(health(facts, NOW_MS).status).toBe('ok');
  });

  it.each([
    ['starting', true, false],
    ['running', true, true],
    ['paused', true, true],
    ['draining', true, false],
    ['stopped', true, false],
  ])('of a worker that is %s: live %s, ready %s', (state, live, ready) => {
    expect(judge({ state })).toMatchObject({ live, ready });
  });

  it('does not take a model that loads for a loop that hangs', () => {
    expect(judge({ state: 'starting', lastTurnAtMs: undefined }).live).toBe(true);
  });

  it('never gets better with time alone', () => {
    const rank = { ok: 0, degraded: 1, stuck: 2 };
    fc.assert(
      fc.property(fc.nat(4_000_000), fc.nat(4_000_000), (ageMs, laterMs) => {
        const facts = factsOf({ oldestHeldAtMs: NOW_MS - ageMs, lastContactAtMs: NOW_MS - ageMs });
        const [now, later] = [health(facts, NOW_MS), health(facts, NOW_MS + laterMs)];
        expect(rank[later.status]).toBeGreaterThanOrEqual(rank[now.status]);
      }),
    );
  });
});
