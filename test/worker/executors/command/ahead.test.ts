import { HandlerTimeoutError } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../support/manual-clock.js';
import { contextOf, imagesOf, listeningLogger, read, wentWell } from '../support.js';
import { errorOf, fake, pids } from './support.js';

describe('a handler that takes a call ahead', () => {
  it.each(['exit', 'sigkill', 'garbage', 'twice', 'foreign', 'other-call', 'close-out', 'nan'])(
    'costs the one image that it fails on, and the one ahead is simply sent again: %s',
    async (poison) => {
      const executor = fake({ start: 'ahead' });
      await executor.warmUp();
      const outcomes = await executor.run(imagesOf('a', poison, 'b', 'c'), contextOf());
      expect(wentWell(outcomes)).toEqual([true, false, true, true]);
      expect(errorOf(outcomes[1])).toMatchObject({ name: 'HandlerCrashError', fresh: true });
      // Once beside others, once where nothing else had run; none for the images that waited.
      expect(executor.stats().crashes).toBe(2);
    },
  );

  it('tries batches in halves as ever, also with another batch behind', async () => {
    const attempts: number[] = [];
    const executor = fake({ mode: 'batch', start: 'ahead' });
    await executor.warmUp();
    const full = executor.run(
      imagesOf('room-2', 'room-2', 'room-2', 'room-2'),
      contextOf({ onAttempt: ({ images, error }) => attempts.push(error ? -images.length : images.length) }),
    );
    const others = executor.run(imagesOf('a', 'sigkill', 'b', 'c'), contextOf());
    expect(wentWell(await full)).toEqual([true, true, true, true]);
    expect(attempts).toEqual([-4, 2, 2]);
    expect(wentWell(await others)).toEqual([true, false, true, true]);
  });

  it('that hangs is ended after its own time; the time of the one behind begins at its turn', async () => {
    const clock = new ManualClock();
    const { logger, said } = listeningLogger();
    const executor = fake({ clock, start: 'ahead' });
    await executor.warmUp();
    const context = contextOf({ logger, timeoutMs: 60_000 });
    const first = executor.run(imagesOf('never'), context);
    const second = executor.run(imagesOf('b'), context);
    await said('never ends');
    clock.advance(60_000);
    clock.advance(1_000);
    expect(errorOf((await first)[0])).toBeInstanceOf(HandlerTimeoutError);
    expect(wentWell(await second)).toEqual([true]);
    expect(executor.stats()).toMatchObject({ timeouts: 1, crashes: 0 });
  });

  it('is replaced after the calls that it has, and gets no more of them', async () => {
    const executor = fake({ start: 'ahead', recycle: { maxBatches: 2 } });
    await executor.warmUp();
    const [a, b, c, d, e] = pids(await executor.run(imagesOf('1', '2', '3', '4', '5'), contextOf()));
    expect([a === b, b === c, c === d, d === e]).toEqual([true, false, true, false]);
    expect(executor.stats().recycles).toBe(2);
  });

  it('is not ended because somebody gives up the call that waits behind another', async () => {
    const executor = fake({ start: 'ahead' });
    await executor.warmUp();
    const { logger, said } = listeningLogger();
    const impatient = new AbortController();
    const first = executor.run(imagesOf('say-well'), contextOf());
    const second = executor.run(imagesOf('b'), contextOf({ signal: impatient.signal }));
    const third = executor.run(imagesOf('say'), contextOf({ logger }));
    impatient.abort();
    expect(read(await second)[0]).toMatch(/HandlerAbortError/);
    expect(wentWell([...(await first), ...(await third)])).toEqual([true, true]);
    await said('a handler says');
    expect(executor.stats()).toMatchObject({ crashes: 0, timeouts: 0 });
  });
});
