import { describe, expect, it } from 'vitest';
import { HandlerAbortError } from '../../../src/worker/executors/joined-signal.js';
import { Supervision } from '../../../src/worker/executors/supervise.js';
import { ManualClock } from '../../support/manual-clock.js';

function watch(signal = new AbortController().signal) {
  const clock = new ManualClock();
  const seen: string[] = [];
  const supervision = new Supervision({
    clock,
    signals: [signal],
    timeoutMs: 60_000,
    startTimeoutMs: 10_000,
    abortGraceMs: 1_000,
    abort: ({ kind }) => seen.push(`abort ${kind}`),
    kill: ({ name }) => seen.push(`kill ${name}`),
  });
  return { clock, supervision, seen };
}

describe('watching a call', () => {
  it('ends a start that takes too long, without blaming the images', () => {
    const { clock, seen } = watch();
    clock.advance(10_000);
    expect(seen).toEqual(['kill HandlerStartError']);
  });

  it('counts the handler’s time from its start only, tells it first and then ends it', () => {
    const { clock, supervision, seen } = watch();
    clock.advance(9_999);
    supervision.started();
    clock.advance(59_999);
    expect(seen).toEqual([]);
    clock.advance(1);
    expect(seen).toEqual(['abort timeout']);
    clock.advance(1_000);
    expect(seen).toEqual(['abort timeout', 'kill HandlerTimeoutError']);
  });

  it('keeps the first reason: a shutdown after a timeout changes nothing', () => {
    const stop = new AbortController();
    const { clock, supervision, seen } = watch(stop.signal);
    supervision.started();
    clock.advance(60_000);
    stop.abort(new HandlerAbortError('shutdown'));
    clock.advance(5_000);
    expect(seen).toEqual(['abort timeout', 'kill HandlerTimeoutError']);
  });

  it('never touches what comes after the call: a later abort finds nothing to end', () => {
    const stop = new AbortController();
    const { clock, supervision, seen } = watch(stop.signal);
    supervision.started();
    supervision.dispose();
    stop.abort(new HandlerAbortError('shutdown'));
    clock.advance(100_000);
    expect(seen).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
