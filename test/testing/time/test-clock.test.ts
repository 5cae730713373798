import { describe, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { createTestClock } from '../../../src/testing/index.js';
import { late } from '../../../src/time/late.js';

describe('the test clock', () => {
  it('runs what falls due in order, at its own time, chains included', async () => {
    const clock = createTestClock(1000);
    const seen: string[] = [];
    const note = (name: string) => () => seen.push(`${name}@${clock.now()}`);
    clock.schedule(20, note('late'));
    clock.schedule(10, () => {
      note('early')();
      clock.schedule(5, note('chained'));
    });
    clock.schedule(10, note('same time, later'));
    clock.schedule(11, note('never'))();
    await clock.advance(20);
    expect(seen).toEqual(['early@10', 'same time, later@10', 'chained@15', 'late@20']);
    expect(clock.pending).toBe(0);
    expect(clock.wallNow()).toBe(1020);
  });

  it('lets promises settle between timers, so that a loop that sleeps goes round as in real time', async () => {
    const clock = createTestClock();
    let rounds = 0;
    const sleep = (ms: number) => new Promise<void>((resolve) => clock.schedule(ms, resolve));
    const loop = (async () => {
      while (rounds < 5) {
        await sleep(100);
        rounds++;
      }
    })();
    await clock.advance(350);
    expect(rounds).toBe(3);
    await clock.advance(150);
    await loop;
  });

  it('runs code that sleeps to its end, or gives up at its limit', async () => {
    const clock = createTestClock();
    const sleep = (ms: number) =>
      new Promise<string>((resolve) =>
        clock.schedule(ms, () => {
          resolve('done');
        }),
      );
    await expect(clock.runUntil(sleep(3000).then(() => sleep(3000)))).resolves.toBe('done');
    expect(clock.now()).toBe(6000);
    await expect(clock.runUntil(sleep(5000), 1000)).rejects.toThrow(/after 1000 ms/);
    await expect(clock.runUntil(Promise.reject(new Error('as it was')))).rejects.toThrow('as it was');
  });

  // An hour passed here while the advice for a 401 was read from the disk, and the worker under test had given up.
  it('stands still while a part of the package is loaded', async () => {
    const clock = createTestClock();
    const part = late(() => delay(20, 'a part'));
    const seen: string[] = [];
    const call = async (): Promise<void> => {
      const loaded = await part();
      clock.schedule(1_000, () => seen.push(`${loaded}@${clock.now()}`));
    };
    void call();
    await clock.advance(2_000);
    expect(seen).toEqual(['a part@1000']);
  });

  it('steps the wall clock without moving time', async () => {
    const clock = createTestClock(0);
    let isRun = false;
    clock.schedule(10, () => {
      isRun = true;
    });
    clock.step(3_600_000);
    await clock.advance(0);
    expect([clock.now(), clock.wallNow(), isRun]).toEqual([0, 3_600_000, false]);
  });
});
