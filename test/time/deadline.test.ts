import { getEventListeners } from 'node:events';
import { AntennaAbortError, AntennaTimeoutError } from 'antenna-sdk';
import { createTestClock } from 'antenna-sdk/testing';
import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/time/clock.js';
import { Deadline } from '../../src/time/deadline.js';
import { failure, turns } from '../support/calls.js';

describe('Deadline', () => {
  it('aborts at its time with an error that names the phase it was in', async () => {
    const clock = createTestClock();
    const deadline = new Deadline({ clock, timeoutMs: 100 });
    deadline.enter('headers');
    await clock.advance(99);
    expect(deadline.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(deadline.signal.reason).toBeInstanceOf(AntennaTimeoutError);
    expect(deadline.signal.reason).toMatchObject({ phase: 'headers', timeoutMs: 100 });
  });

  it('does not move with the wall clock', async () => {
    const clock = createTestClock();
    const deadline = new Deadline({ clock, timeoutMs: 100 });
    clock.step(3_600_000);
    await clock.advance(99);
    expect(deadline.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(deadline.signal.aborted).toBe(true);
  });

  it('ends with the caller’s signal, whose reason it keeps', () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const deadline = new Deadline({ clock: createTestClock(), timeoutMs: 100, signal: controller.signal });
    controller.abort(reason);
    expect(deadline.signal.reason).toBeInstanceOf(AntennaAbortError);
    expect((deadline.signal.reason as Error).cause).toBe(reason);
  });

  it('passes on the error of an outer deadline as it is', async () => {
    const clock = createTestClock();
    const outer = new Deadline({ clock, timeoutMs: 10 });
    const inner = new Deadline({ clock, timeoutMs: 100, signal: outer.signal });
    await clock.advance(10);
    expect(inner.signal.reason).toBe(outer.signal.reason);
  });

  it('leaves neither timer nor listener once it is disposed of or over', async () => {
    const clock = createTestClock();
    const { signal } = new AbortController();
    for (let call = 0; call < 100; call++) {
      const deadline = new Deadline({ clock, timeoutMs: 100, signal });
      await deadline.race(Promise.resolve(call));
      deadline.dispose();
    }
    expect(clock.pending).toBe(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    const aborted = new Deadline({ clock, timeoutMs: 100, signal: AbortSignal.abort('x') });
    expect(aborted.signal.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('waits for work no longer than it lasts, also for work that does not listen', async () => {
    const clock = createTestClock();
    const deadline = new Deadline({ clock, timeoutMs: 100 });
    const raced = failure(deadline.race(new Promise(() => undefined)));
    await clock.advance(100);
    expect(await raced).toMatchObject({ code: 'timeout', phase: 'token' });
    expect(getEventListeners(deadline.signal, 'abort')).toHaveLength(0);
  });

  it('ends once: what comes after its end does not change the reason', async () => {
    const clock = createTestClock();
    const controller = new AbortController();
    const deadline = new Deadline({ clock, timeoutMs: 100, signal: controller.signal });
    await clock.advance(100);
    controller.abort();
    expect(deadline.reason).toBeInstanceOf(AntennaTimeoutError);
    expect(deadline.signal.reason).toBe(deadline.reason);
  });

  it('tells whoever listens once, and nobody who has left; a signal that is asked for later is aborted too', async () => {
    const clock = createTestClock();
    const deadline = new Deadline({ clock, timeoutMs: 100 });
    const heard: string[] = [];
    const leave = deadline.onEnd(() => heard.push('left'));
    deadline.onEnd(({ message }) => heard.push(message));
    leave();
    await clock.advance(100);
    expect(heard).toEqual([deadline.reason?.message]);
    expect(deadline.signal.reason).toBe(deadline.reason);
    expect(await failure(deadline.race(Promise.resolve('late')))).toBe(deadline.reason);
    expect(() => {
      deadline.throwIfEnded();
    }).toThrow(deadline.reason);
  });

  it('lets no failure of work that nobody waits for any more end the process', async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): void => {
      unhandled.push(reason);
    };
    process.on('unhandledRejection', listen);
    const deadline = new Deadline({
      clock: createTestClock(),
      timeoutMs: 100,
      signal: AbortSignal.abort('x'),
    });
    await failure(deadline.race(Promise.reject(new Error('late'))));
    await turns();
    process.off('unhandledRejection', listen);
    expect(unhandled).toEqual([]);
  });
});

describe('sleep', () => {
  it('wakes at its time, or at once when the signal aborts, and leaves nothing behind', async () => {
    const clock = createTestClock();
    const controller = new AbortController();
    const woke = sleep(clock, 50, controller.signal);
    await clock.advance(50);
    await woke;
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    const interrupted = failure(sleep(clock, 50, controller.signal));
    const reason = new Error('now');
    controller.abort(reason);
    expect(await interrupted).toBe(reason);
    expect(await failure(sleep(clock, 50, controller.signal))).toBe(reason);
    expect(clock.pending).toBe(0);
  });
});
