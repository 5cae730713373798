import { describe, expect, it } from 'vitest';
import { late, partsLoading } from '../../src/time/late.js';

describe('late', () => {
  it('loads once, with the first call', async () => {
    let loads = 0;
    const part = late(() => Promise.resolve((loads += 1)));
    expect(loads).toBe(0);
    expect(await Promise.all([part(), part()])).toEqual([1, 1]);
    expect(loads).toBe(1);
  });

  it('loads again after a failure', async () => {
    let loads = 0;
    const part = late(() => {
      loads += 1;
      return loads === 1 ? Promise.reject(new Error('too many open files')) : Promise.resolve('there');
    });
    await expect(part()).rejects.toThrow('too many open files');
    await expect(part()).resolves.toBe('there');
  });

  it('tells how many parts are being loaded', async () => {
    const part = late(() => Promise.resolve('there'));
    const missing = late(() => Promise.reject(new Error('not there')));
    const both = Promise.allSettled([part(), missing()]);
    expect(partsLoading()).toBe(2);
    await both;
    await part();
    expect(partsLoading()).toBe(0);
  });
});
