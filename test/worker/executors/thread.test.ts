import {
  HandlerAbortError,
  HandlerCrashError,
  HandlerStartError,
  HandlerTimeoutError,
  OutOfMemoryTaskError,
  PermanentTaskError,
  RetryableTaskError,
  ThreadExecutor,
  type BatchAttempt,
  type ThreadExecutorOptions,
} from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../support/manual-clock.js';
import { contextOf, imagesOf, listeningLogger, opener, read, wentWell } from './support.js';

const thread = opener((options: ThreadExecutorOptions) => new ThreadExecutor({ threads: 1, ...options }));

describe('a handler in a thread', () => {
  it('gets the image, the configuration and the lease, and its result comes back', async () => {
    const executor = thread('basic.mjs');
    const context = contextOf({ config: { threshold: 0.4 } });
    const [outcome] = await executor.run(imagesOf('moth'), context);
    expect(outcome).toMatchObject({
      ok: true,
      result: { id: 'img-0', text: 'moth', isBuffer: true, config: { threshold: 0.4 }, pid: process.pid },
    });
    const { remainingMs } = read(outcome ? [outcome] : [])[0] as { remainingMs: number };
    expect(remainingMs).toBeGreaterThan(0);
    expect(remainingMs).toBeLessThanOrEqual(25_000);
  });

  it('may be a CommonJS module', async () => {
    const outcomes = await thread('legacy.cjs').run(imagesOf('a', 'b'), contextOf());
    expect(read(outcomes)).toMatchObject([{ id: 'img-0' }, { id: 'img-1' }]);
  });

  it('is warmed before the first image, and tells how long one image takes', async () => {
    const executor = thread('basic.mjs', { threads: 2 });
    expect(await executor.warmUp(contextOf())).toBe(12.5);
  });

  it('keeps what it throws to the one image, and what the error means', async () => {
    const outcomes = await thread('basic.mjs').run(
      imagesOf('a', 'throw', 'nothing', 'function', 'b'),
      contextOf(),
    );
    expect(wentWell(outcomes)).toEqual([true, false, false, false, true]);
    expect(read(outcomes)[1]).toBe('NotAnImage: cannot decode');
    expect(read(outcomes)[2]).toMatch(/must return \{ detections \} for image img-2; it returned nothing/);
    expect(read(outcomes)[3]).toMatch(/cannot be sent to the worker/);
  });

  it('may say that an image can never be processed', async () => {
    const outcomes = await thread('batch.mjs').run(imagesOf('a', 'permanent', 'missing'), contextOf());
    expect(wentWell(outcomes)).toEqual([true, false, false]);
    expect(outcomes[1]).toHaveProperty('error', expect.any(PermanentTaskError));
    expect(read(outcomes)[2]).toMatch(/it returned nothing/);
  });

  it('may run out of memory: its images are tried in smaller batches, and whoever asks hears of every call', async () => {
    const attempts: BatchAttempt[] = [];
    const context = contextOf({ onAttempt: (attempt) => attempts.push(attempt) });
    const outcomes = await thread('batch.mjs').run(imagesOf('room for two', 'b', 'c', 'd'), context);
    expect(wentWell(outcomes)).toEqual([true, true, true, true]);
    expect(attempts.map(({ images, error }) => [images.length, error])).toEqual([
      [4, expect.any(OutOfMemoryTaskError)],
      [2, undefined],
      [2, undefined],
    ]);
  });

  it('logs through the worker’s logger, without what the logger would not let pass', async () => {
    const { logger, lines } = listeningLogger();
    await thread('basic.mjs').run(imagesOf('log'), contextOf({ logger }));
    expect(lines).toContain('warn hello {"reason":"said by the handler"}');
  });

  it('leaves the caller’s bytes alone, unless they are given away', async () => {
    const executor = thread('basic.mjs');
    // Larger than what Node carves out of a shared block, which cannot be given away: below 32 KiB on Node 24.
    const mine = imagesOf('moth'.repeat(40_000));
    const given = imagesOf('moth'.repeat(40_000));
    expect(wentWell(await executor.run(mine, contextOf()))).toEqual([true]);
    expect(wentWell(await executor.run(given, contextOf({ transferBytes: true })))).toEqual([true]);
    expect([mine[0]?.bytes.length, given[0]?.bytes.length]).toEqual([160_000, 0]);
  });
});

describe('a thread that dies', () => {
  it.each(['exit', 'uncaught'])('costs only the image that kills it (%s)', async (poison) => {
    const executor = thread('basic.mjs');
    const outcomes = await executor.run(imagesOf('a', poison, 'b'), contextOf());
    expect(wentWell(outcomes)).toEqual([true, false, true]);
    expect(outcomes[1]).toHaveProperty('error', expect.any(HandlerCrashError));
    expect(outcomes[1]).toHaveProperty('error', expect.any(RetryableTaskError));
    await executor.run(imagesOf('c'), contextOf());
    expect(executor.stats()).toMatchObject({ busy: 0, crashes: 2, consecutiveCrashes: 0 });
  });

  it('dies alone when it takes more heap than it may', async () => {
    const executor = thread('basic.mjs', { maxHeapBytes: 64 * 1_048_576 });
    const outcomes = await executor.run(imagesOf('heap', 'b'), contextOf());
    expect(wentWell(outcomes)).toEqual([false, true]);
    expect(read(outcomes)[0]).toMatch(/memory/);
  });

  it('is found in a batch by halves, and the others of the batch finish', async () => {
    const outcomes = await thread('batch.mjs').run(imagesOf('a', 'b', 'exit', 'd', 'e'), contextOf());
    expect(wentWell(outcomes)).toEqual([true, true, false, true, true]);
  });
});

describe('a handler that never returns', () => {
  it.each([
    ['the worker', {}, 60_000],
    ['the executor, also in a worker that would wait longer,', { timeoutMs: 60_000 }, 300_000],
  ])(
    'is ended with its thread after the time of %s and the next image gets a new thread',
    async (_, limits, timeoutMs) => {
      const clock = new ManualClock();
      const { logger, said } = listeningLogger();
      const executor = thread('basic.mjs', { clock, ...limits });
      const work = executor.run(imagesOf('spin', 'b'), contextOf({ logger, timeoutMs }));
      await said('spinning');
      clock.advance(60_000);
      clock.advance(1_000);
      const outcomes = await work;
      expect(wentWell(outcomes)).toEqual([false, true]);
      expect(outcomes[0]).toHaveProperty('error', expect.any(HandlerTimeoutError));
      expect(executor.stats().timeouts).toBe(1);
      expect(clock.pending).toBe(0);
    },
  );

  it('T7: leaves the timers of the worker’s own thread on time', async () => {
    const { logger, said } = listeningLogger();
    const executor = thread('basic.mjs', { abortGraceMs: 1 });
    const stop = new AbortController();
    const work = executor.run(imagesOf('spin'), contextOf({ logger, signal: stop.signal }));
    await said('spinning');
    // The heartbeat's timer, twenty times: it fires while the handler still spins, which only the stop below ends.
    let beats = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (++beats < 20) return;
        clearInterval(timer);
        resolve();
      }, 5);
    });
    expect(executor.stats().busy).toBe(1);
    stop.abort(new HandlerAbortError('shutdown'));
    expect(read(await work)).toEqual([
      'HandlerAbortError: The handler was aborted: the worker is shutting down',
    ]);
  });

  it('does not keep close() from ending', async () => {
    const { logger, said } = listeningLogger();
    const executor = thread('basic.mjs', { abortGraceMs: 1 });
    const work = executor.run(imagesOf('spin', 'later'), contextOf({ logger }));
    await said('spinning');
    await executor.close();
    expect((await work).map((outcome) => !outcome.ok && (outcome.error as HandlerAbortError).kind)).toEqual([
      'shutdown',
      'shutdown',
    ]);
    expect(wentWell(await executor.run(imagesOf('a'), contextOf()))).toEqual([false]);
  });
});

describe('an abort', () => {
  it('reaches the handler with its typed reason, and a result that still comes counts', async () => {
    const { logger, said } = listeningLogger();
    const stop = new AbortController();
    const work = thread('basic.mjs').run(imagesOf('honour'), contextOf({ logger, signal: stop.signal }));
    await said('waiting');
    stop.abort(new HandlerAbortError('job_gone'));
    expect(read(await work)).toEqual([{ detections: [], kind: 'job_gone' }]);
  });

  it('is not what a graceful stop does: it is told by a second signal', async () => {
    const { logger, said } = listeningLogger();
    const stopping = new AbortController();
    const work = thread('basic.mjs').run(
      imagesOf('stopping'),
      contextOf({ logger, stopping: stopping.signal }),
    );
    await said('waiting');
    stopping.abort();
    expect(read(await work)).toEqual([{ detections: [], aborted: false }]);
  });
});

describe('a handler module that cannot be used', () => {
  it.each([
    ['broken.mjs', /cannot be loaded: the model file is missing/],
    ['no-handler.mjs', /exports no handler: export process/],
    ['dies-at-start.mjs', /died at its start/],
  ])('fails the warm-up with the reason, and images without blaming them (%s)', async (module, reason) => {
    const executor = thread(module);
    await expect(executor.warmUp()).rejects.toThrow(reason);
    const outcomes = await executor.run(imagesOf('a', 'b'), contextOf());
    expect(wentWell(outcomes)).toEqual([false, false]);
    expect(outcomes[0]).toHaveProperty('error', expect.any(HandlerStartError));
  });

  it('is refused at once when the file does not exist', () => {
    expect(() => thread('absent.mjs')).toThrow(/module: .*does not exist; give new URL/);
  });
});
