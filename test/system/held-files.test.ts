import { describe, expect, it } from 'vitest';
import { whileHeld } from '../../src/system/held-files.js';
import { failure } from '../support/calls.js';
import { ManualClock } from '../support/manual-clock.js';

const refusal = (code: string): Error => Object.assign(new Error(code), { code });

/** Something that fails so often, and how often it was tried at which time. */
function stubborn(clock: ManualClock, failures: number, code = 'EPERM') {
  const triedAt: number[] = [];
  const work = (): Promise<string> => {
    triedAt.push(clock.now());
    return triedAt.length > failures ? Promise.resolve('done') : Promise.reject(refusal(code));
  };
  return { work, triedAt };
}

/** Moves the clock until the promise has settled. */
async function settled<Value>(clock: ManualClock, promise: Promise<Value>): Promise<Value> {
  const state = { over: false };
  const end = (): void => {
    state.over = true;
  };
  promise.then(end, end);
  for (let round = 0; round < 10_000; round++) {
    await new Promise(setImmediate);
    if (state.over) break;
    clock.advance(1);
  }
  return promise;
}

describe('a file that somebody else holds on Windows', () => {
  it.each(['EACCES', 'EBUSY', 'EPERM'])('is tried again after %s, each time a little later', async (code) => {
    const clock = new ManualClock();
    const { work, triedAt } = stubborn(clock, 3, code);
    expect(await settled(clock, whileHeld(work, { platform: 'win32', clock }))).toBe('done');
    expect(triedAt).toEqual([0, 10, 30, 60]);
    expect(clock.pending).toBe(0);
  });

  it('is given up after two seconds, with what the system said last', async () => {
    const clock = new ManualClock();
    const { work, triedAt } = stubborn(clock, Infinity);
    const error = await failure(settled(clock, whileHeld(work, { platform: 'win32', clock })));
    expect(error).toMatchObject({ code: 'EPERM' });
    expect(triedAt.at(-1)).toBeGreaterThan(1_900);
    expect(triedAt.at(-1)).toBeLessThanOrEqual(2_000);
    expect(Math.max(...triedAt.map((at, index) => at - (triedAt[index - 1] ?? 0)))).toBe(100);
  });

  it.each(['ENOENT', 'EEXIST', 'ENOSPC', 'EISDIR'])(
    'is not waited for when the refusal is %s',
    async (code) => {
      const clock = new ManualClock();
      const { work, triedAt } = stubborn(clock, 1, code);
      expect(await failure(whileHeld(work, { platform: 'win32', clock }))).toMatchObject({ code });
      expect(triedAt).toHaveLength(1);
    },
  );

  it.each(['linux', 'darwin'] as const)(
    'is no reason to wait on %s, where a refusal is a refusal',
    async (platform) => {
      const clock = new ManualClock();
      const { work, triedAt } = stubborn(clock, 1);
      expect(await failure(whileHeld(work, { platform, clock }))).toMatchObject({ code: 'EPERM' });
      expect(triedAt).toHaveLength(1);
    },
  );
});
