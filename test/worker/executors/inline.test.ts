import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { HandlerAbortError } from '../../../src/worker/executors/joined-signal.js';
import { HandlerStartError, HandlerTimeoutError } from '../../../src/worker/executors/execution-errors.js';
import { InlineExecutor } from '../../../src/worker/executors/inline.js';
import { ManualClock } from '../../support/manual-clock.js';
import { contextOf, imagesOf, read, wentWell } from './support.js';

const forever = (): Promise<never> => new Promise(() => undefined);

describe('a handler in the worker’s own thread', () => {
  it('gets the images of a batch side by side, so that waiting for a remote model costs no time', async () => {
    const begun: string[] = [];
    const executor = new InlineExecutor({
      async process(image) {
        begun.push(image.id);
        while (begun.length < 3) await Promise.resolve();
        return { detections: [] };
      },
    });
    expect(wentWell(await executor.run(imagesOf('a', 'b', 'c'), contextOf()))).toEqual([true, true, true]);
  });

  it('keeps what it throws to the one image, error and all', async () => {
    const error = new Error('no');
    const executor = new InlineExecutor({
      process(image) {
        if (image.id === 'img-1') throw error;
        return { detections: [] };
      },
    });
    const outcomes = await executor.run(imagesOf('a', 'b', 'c'), contextOf());
    expect(outcomes[1]).toEqual({ ok: false, error });
    expect(wentWell(outcomes)).toEqual([true, false, true]);
  });

  it('tells how long an image takes after warming up, and why it could not', async () => {
    expect(await new InlineExecutor({ warmUp: () => 40 }).warmUp(contextOf())).toBe(40);
    expect(await new InlineExecutor({ warmUp: () => 'fine' }).warmUp(contextOf())).toBeUndefined();
    const broken = new InlineExecutor({
      warmUp() {
        throw new Error('no GPU');
      },
    });
    await expect(broken.warmUp(contextOf())).rejects.toThrow(HandlerStartError);
    await expect(broken.warmUp(contextOf())).rejects.toThrow('warmUp failed: no GPU');
  });
});

describe('a batch handler', () => {
  it('may answer in order or by image id; an image that is missing fails alone', async () => {
    const inOrder = new InlineExecutor({ processBatch: () => [{ detections: [] }, new Error('bad')] });
    expect(wentWell(await inOrder.run(imagesOf('a', 'b'), contextOf()))).toEqual([true, false]);
    const byId = new InlineExecutor({ processBatch: () => new Map([['img-1', { detections: [] }]]) });
    expect(wentWell(await byId.run(imagesOf('a', 'b'), contextOf()))).toEqual([false, true]);
  });

  it('never gives one image the result of another when it answers with too few', async () => {
    const sizes: number[] = [];
    const executor = new InlineExecutor({
      // Leaves out what it cannot decode, and with it shifts all that follow.
      processBatch(images) {
        sizes.push(images.length);
        return images
          .filter(({ bytes }) => bytes.toString() !== 'bad')
          .map(({ id }) => ({ detections: [], of: id }));
      },
    });
    const outcomes = await executor.run(imagesOf('a', 'bad', 'c', 'd'), contextOf());
    expect(read(outcomes)).toEqual([
      { detections: [], of: 'img-0' },
      expect.stringMatching(/returned an array of 0/),
      { detections: [], of: 'img-2' },
      { detections: [], of: 'img-3' },
    ]);
    expect(sizes).toEqual([4, 2, 1, 1, 2]);
  });
});

describe('a call that takes too long', () => {
  it.each([
    ['the worker', {}, 60_000],
    ['the executor, also in a worker that would wait longer,', { timeoutMs: 60_000 }, 300_000],
  ])(
    'is aborted after the time of %s with a typed reason, then given up; the image gets the error',
    async (_, limits, timeoutMs) => {
      const clock = new ManualClock();
      const reasons: unknown[] = [];
      const executor = new InlineExecutor({
        clock,
        ...limits,
        process(_image, { signal }) {
          signal.addEventListener('abort', () => reasons.push(signal.reason));
          return forever();
        },
      });
      const work = executor.run(imagesOf('a'), contextOf({ timeoutMs }));
      clock.advance(59_999);
      expect(reasons).toEqual([]);
      clock.advance(1);
      expect(reasons).toEqual([expect.objectContaining({ kind: 'timeout' })]);
      clock.advance(1_000);
      expect(await work).toEqual([{ ok: false, error: expect.any(HandlerTimeoutError) as unknown }]);
      expect(executor.stats().timeouts).toBe(1);
      expect(clock.pending).toBe(0);
    },
  );

  it('finds its signal aborted also if it looks at it only then', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    let looked: unknown;
    const executor = new InlineExecutor({
      clock,
      async process(_, context) {
        while (!controller.signal.aborted) await new Promise(setImmediate);
        looked = { ...context }.signal.reason;
        return { detections: [] };
      },
    });
    const work = executor.run(imagesOf('a'), contextOf({ signal: controller.signal }));
    controller.abort(new Error('enough'));
    expect(wentWell(await work)).toEqual([true]);
    expect(looked).toBeInstanceOf(HandlerAbortError);
  });

  it('leaves no timer and no listener on the worker’s signal when it ends in time', async () => {
    const clock = new ManualClock();
    const { signal } = new AbortController();
    const executor = new InlineExecutor({ clock, process: () => ({ detections: [] }) });
    await executor.run(imagesOf(...Array.from({ length: 50 }, () => 'a')), contextOf({ signal }));
    expect([getEventListeners(signal, 'abort').length, clock.pending]).toEqual([0, 0]);
  });
});

describe('closing', () => {
  it('aborts what runs with the reason shutdown, and refuses what comes later', async () => {
    const clock = new ManualClock();
    const executor = new InlineExecutor({ clock, process: forever });
    const work = executor.run(imagesOf('a'), contextOf());
    const closed = executor.close();
    clock.advance(1_000);
    await closed;
    const later = await executor.run(imagesOf('b'), contextOf());
    for (const [outcome] of [await work, later])
      expect(outcome).toEqual({ ok: false, error: expect.any(HandlerAbortError) as unknown });
  });
});
