import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import {
  AntennaError,
  HandlerCrashError,
  HandlerStartError,
  HandlerTimeoutError,
  PermanentTaskError,
  ProcessExecutor,
  RetryableTaskError,
  type HandlerAbortError,
  type ProcessExecutorOptions,
} from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import type { BatchOutcome } from '../../../src/worker/executors/executor.js';
import { ManualClock } from '../../support/manual-clock.js';
import {
  contextOf,
  FROM_SOURCES,
  handler,
  imagesOf,
  listeningLogger,
  opener,
  read,
  wentWell,
} from './support.js';

const child = opener((options: ProcessExecutorOptions) => new ProcessExecutor(options));

function pids(outcomes: readonly BatchOutcome[]): unknown[] {
  return outcomes.map((outcome) => outcome.ok && (outcome.result as unknown as { pid: number }).pid);
}

/** Also false for one that has ended and was not yet reaped, as under a container's first process. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const status = `/proc/${pid}/stat`;
    return !existsSync(status) || !/\) Z /.test(readFileSync(status, 'utf8'));
  } catch {
    return false;
  }
}

describe('a handler in a child process', () => {
  it('runs elsewhere, and gets what it would get here', async () => {
    const executor = child('basic.mjs');
    expect(await executor.warmUp(contextOf())).toBe(12.5);
    const outcomes = await executor.run(imagesOf('moth', 'a'), contextOf({ config: { threshold: 0.4 } }));
    expect(read(outcomes)[0]).toMatchObject({
      id: 'img-0',
      text: 'moth',
      isBuffer: true,
      config: { threshold: 0.4 },
    });
    expect(new Set(pids(outcomes)).size).toBe(1);
    expect(pids(outcomes)).not.toContain(process.pid);
  });

  it('works side by side in several processes', async () => {
    const executor = child('basic.mjs', { processes: 2 });
    await executor.warmUp();
    const { logger, said } = listeningLogger();
    const stopping = new AbortController();
    const work = executor.run(
      imagesOf('stopping', 'stopping'),
      contextOf({ logger, stopping: stopping.signal }),
    );
    await Promise.all([said('img-0'), said('img-1')]);
    stopping.abort();
    expect(wentWell(await work)).toEqual([true, true]);
  });

  it('keeps what it throws to the one image, and what the error means', async () => {
    const outcomes = await child('basic.mjs').run(imagesOf('throw', 'function', 'b'), contextOf());
    expect(wentWell(outcomes)).toEqual([false, false, true]);
    expect(read(outcomes)[0]).toBe('NotAnImage: cannot decode');
    const batch = await child('batch.mjs').run(imagesOf('a', 'permanent', 'missing'), contextOf());
    expect(wentWell(batch)).toEqual([true, false, false]);
    expect(batch[1]).toHaveProperty('error', expect.any(PermanentTaskError));
  });

  it('never sees the worker’s credentials, and what it prints is logged without secrets', async () => {
    const before = process.env['ANTENNA_API_KEY'];
    process.env['ANTENNA_API_KEY'] = 'abcdefgh.verysecretverysecret';
    try {
      const { logger, lines } = listeningLogger();
      const executor = child('basic.mjs', { logger, env: { EXTRA: 'abcdefgh.verysecretverysecret' } });
      const [result] = read(await executor.run(imagesOf('print'), contextOf()));
      expect(result).toMatchObject({ key: null, extra: 'abcdefgh.verysecretverysecret' });
      await executor.close();
      expect(lines.join('\n')).toContain('debug a handler process wrote to standard output');
      expect(lines.join('\n')).toContain('https://images.example/a.jpg?[redacted] failed');
      expect(lines.join('\n')).not.toMatch(/verysecret|0123456789/);
    } finally {
      if (before === undefined) delete process.env['ANTENNA_API_KEY'];
      else process.env['ANTENNA_API_KEY'] = before;
    }
  });
});

describe('T10: an image that kills the process', () => {
  it.each(['sigkill', 'exit'])(
    'gets the error alone, and the others of its batch finish (%s)',
    async (poison) => {
      const executor = child('batch.mjs');
      const words = ['a', 'b', 'c', poison, 'e', 'f', 'g', 'h'];
      const outcomes = await executor.run(imagesOf(...words), contextOf());
      expect(wentWell(outcomes)).toEqual(words.map((word) => word !== poison));
      const error = !outcomes[3]?.ok && outcomes[3]?.error;
      expect(error).toBeInstanceOf(HandlerCrashError);
      // Another worker may have more luck: it is left to lapse, and an error result is posted on the last delivery only.
      expect(error).toBeInstanceOf(RetryableTaskError);
      expect(error).toBeInstanceOf(AntennaError);
    },
  );

  it('is blamed only once it has killed a process that had done nothing else', async () => {
    const executor = child('basic.mjs');
    const outcomes = await executor.run(imagesOf('a', 'sigkill', 'b'), contextOf());
    expect(wentWell(outcomes)).toEqual([true, false, true]);
    expect(outcomes[1]).toHaveProperty('error.fresh', true);
    expect(executor.stats().crashes).toBe(2);
  });

  it('leaves a log line with how it died', async () => {
    const { logger, lines } = listeningLogger();
    await child('basic.mjs', { logger }).run(imagesOf('sigkill'), contextOf());
    expect(lines.join('\n')).toMatch(/warn a handler process died \{"reason":"signal SIGKILL"/);
  });
});

describe('a handler that never returns', () => {
  it.each([
    ['the worker', {}, 60_000],
    ['the executor, also in a worker that would wait longer,', { timeoutMs: 60_000 }, 300_000],
  ])(
    'is ended with its process after the time of %s and the next image gets a new one',
    async (_, limits, timeoutMs) => {
      const clock = new ManualClock();
      const { logger, said } = listeningLogger();
      const executor = child('basic.mjs', { clock, ...limits });
      const work = executor.run(imagesOf('spin', 'b'), contextOf({ logger, timeoutMs }));
      await said('spinning');
      clock.advance(60_000);
      clock.advance(1_000);
      const outcomes = await work;
      expect(wentWell(outcomes)).toEqual([false, true]);
      expect(outcomes[0]).toHaveProperty('error', expect.any(HandlerTimeoutError));
      expect(clock.pending).toBe(0);
    },
  );

  it('is told first, with a typed reason, and its result counts if it hurries', async () => {
    const clock = new ManualClock();
    const { logger, said } = listeningLogger();
    const executor = child('basic.mjs', { clock });
    const work = executor.run(imagesOf('honour'), contextOf({ logger, timeoutMs: 60_000 }));
    await said('waiting');
    clock.advance(60_000);
    expect(read(await work)).toEqual([{ detections: [], kind: 'timeout' }]);
  });

  it('does not keep close() from ending, nor outlive it', async () => {
    const { logger, said } = listeningLogger();
    const executor = child('basic.mjs', { abortGraceMs: 1 });
    const [pid] = pids(await executor.run(imagesOf('a'), contextOf()));
    const work = executor.run(imagesOf('spin', 'later'), contextOf({ logger }));
    await said('spinning');
    await executor.close();
    const outcomes = await work;
    expect(outcomes.map((outcome) => !outcome.ok && (outcome.error as HandlerAbortError).kind)).toEqual([
      'shutdown',
      'shutdown',
    ]);
    expect(isRunning(pid as number)).toBe(false);
  });
});

describe('a process that grows old', () => {
  it('is replaced after a number of batches', async () => {
    const executor = child('leaky.mjs', { maxBatches: 2 });
    const outcomes = await executor.run(imagesOf('1', '1', '1', '1', '1'), contextOf());
    const [a, b, c, d, e] = pids(outcomes);
    expect([a === b, b === c, c === d, d === e]).toEqual([true, false, true, false]);
    expect(executor.stats().recycles).toBe(2);
  });

  it('is replaced when its memory has grown over the limit', async () => {
    const mib = 1_048_576;
    const executor = child('leaky.mjs', { maxRssBytes: 400 * mib });
    const outcomes = await executor.run(imagesOf('1', String(400 * mib), '1'), contextOf());
    const [a, b, c] = pids(outcomes);
    expect([a === b, b === c]).toEqual([true, false]);
    expect(executor.stats().recycles).toBe(1);
  });

  it('ends by itself on close, and leaves no process behind', async () => {
    const executor = child('leaky.mjs');
    const [pid] = pids(await executor.run(imagesOf('1'), contextOf()));
    await executor.close();
    await executor.close();
    expect(isRunning(pid as number)).toBe(false);
  });
});

describe('a signal to the whole group, from a terminal or systemd', () => {
  it('leaves the handler’s process alone: the worker decides when it ends', async () => {
    const executor = child('basic.mjs');
    const [before] = pids(await executor.run(imagesOf('a'), contextOf()));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.kill(before as number, signal);
    const [after] = pids(await executor.run(imagesOf('b'), contextOf()));
    expect(after).toBe(before);
    expect(executor.stats().crashes).toBe(0);
  });
});

describe('a worker that is killed', () => {
  it('takes its handler processes along', async () => {
    const args = [...FROM_SOURCES, handler('parent.mjs')];
    const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once('data', (chunk: Buffer) => {
        resolve(Number(chunk.toString()));
      });
    });
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
  });
});

describe('a handler module that cannot be used', () => {
  it.each([
    ['broken.mjs', /cannot be loaded: the model file is missing/],
    ['no-handler.mjs', /exports no handler: export process/],
    ['dies-at-start.mjs', /ended at its start: exit code 7/],
  ])('fails the warm-up with the reason, and images without blaming them (%s)', async (module, reason) => {
    const executor = child(module);
    await expect(executor.warmUp()).rejects.toThrow(reason);
    const outcomes = await executor.run(imagesOf('a', 'b'), contextOf());
    expect(wentWell(outcomes)).toEqual([false, false]);
    expect(outcomes[0]).toHaveProperty('error', expect.any(HandlerStartError));
    expect(executor.stats().consecutiveCrashes).toBe(2);
  });
});
