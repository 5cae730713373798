import { setTimeout as delay } from 'node:timers/promises';
import {
  HandlerAbortError,
  HandlerCrashError,
  HandlerTimeoutError,
  HandlerUnavailableError,
  OutOfMemoryTaskError,
  PushContractError,
  PushRetryableError,
} from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { until } from '../support/worlds.js';
import { imagesOf } from '../worker/executors/support.js';
import { boxesOf, bridge, warmed } from './support.js';

describe('a push service that fails', () => {
  it.each(['poison', 'nan', 'refuse'])(
    'costs the one image of a batch that it fails on (%s)',
    async (poison) => {
      const { run } = await warmed();
      const words = ['a', 'bb', 'ccc', 'dddd', poison, 'ffffff'];
      expect(boxesOf(await run(imagesOf(...words)))).toEqual([1, 2, 3, 4, 'PushFailureError', 6]);
    },
  );

  it('calls a single image once more before it is blamed', async () => {
    let calls = 0;
    const { run } = await warmed();
    const made = await warmed();
    made.fake.behaviour.override = (_, response) => {
      calls += 1;
      if (calls > 1) return false;
      response.writeHead(500).end('Internal Server Error');
      return true;
    };
    expect(boxesOf(await made.run(imagesOf('moth')))).toEqual([4]);
    expect(boxesOf(await run(imagesOf('poison')))).toEqual(['PushFailureError']);
  });

  it('blames no image when each of a batch fails: a broken card is not put right by final errors', async () => {
    const { run, fake } = await warmed();
    fake.behaviour.override = (_, response) => {
      response.writeHead(500).end('CUDA error: device-side assert triggered');
      return true;
    };
    expect(boxesOf(await run(imagesOf('a', 'bb', 'ccc')))).toEqual(
      Array.from({ length: 3 }, () => PushRetryableError.className),
    );
  });

  it('shrinks its batches when memory does not suffice, and says what it was', async () => {
    const { run, fake } = await warmed();
    const said: [number, unknown][] = [];
    fake.behaviour.override = (call, response) => {
      if (call.ids.length <= 2) return false;
      response.writeHead(422, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ detail: 'CUDA out of memory. Tried to allocate 2 GiB' }));
      return true;
    };
    const onAttempt = ({ images, error }: { images: readonly unknown[]; error: unknown }): void => {
      said.push([images.length, error instanceof OutOfMemoryTaskError]);
    };
    expect(boxesOf(await run(imagesOf('a', 'bb', 'ccc', 'dddd'), { onAttempt }))).toEqual([1, 2, 3, 4]);
    expect(said).toEqual([
      [4, true],
      [2, false],
      [2, false],
    ]);
    expect(boxesOf(await run(imagesOf('a', 'bb', 'ccc', 'dddd')))).toEqual([1, 2, 3, 4]);
    expect(fake.calls.map(({ ids }) => ids.length)).toEqual([4, 2, 2, 2, 2]);
  });

  it('gives one image that exhausts the memory another chance elsewhere', async () => {
    const { run } = await warmed();
    expect(boxesOf(await run(imagesOf('a', 'oom')))).toEqual([1, OutOfMemoryTaskError.className]);
  });

  it.each([
    [404, 'text/html', '<!doctype html><title>Not here</title>', /404: an HTML page "Not here"/],
    [405, 'application/json', '{"detail":"Method Not Allowed"}', /405: Method Not Allowed/],
    [200, 'text/html', '<html><title>Sign in</title>', /200 and an HTML page/],
    [200, 'application/json', '[1]', /no JSON object/],
    [200, 'application/json', '{"hello":"world"}', /no lists source_images and detections/],
    [307, 'text/plain', '', /307/],
    [401, 'text/plain', 'who are you', /401: who are you/],
  ])(
    'stops its pipeline and fails no image when it answers %i as %s: %s',
    async (status, type, body, why) => {
      const { run, fake, executor } = await warmed();
      fake.behaviour.override = (_, response) => {
        response.writeHead(status, { 'content-type': type }).end(body);
        return true;
      };
      expect(boxesOf(await run(imagesOf('a', 'bb')))).toEqual([
        PushContractError.className,
        PushContractError.className,
      ]);
      expect(executor.unavailable?.()).toMatch(why);
      expect(fake.calls).toHaveLength(1);
    },
  );

  it('is waited for when a gateway answers for it, and its images are tried again elsewhere at worst', async () => {
    const { run, fake } = await warmed();
    let calls = 0;
    fake.behaviour.override = (_, response) => {
      calls += 1;
      if (calls > 2) return false;
      response.writeHead(502, { 'content-type': 'text/html' }).end('<html><title>Bad Gateway</title>');
      return true;
    };
    expect(boxesOf(await run(imagesOf('a', 'bb')))).toEqual([1, 2]);
    fake.behaviour.override = (_, response) => {
      response.writeHead(504).end('upstream timed out');
      return true;
    };
    expect(boxesOf(await run(imagesOf('a', 'bb')))).toEqual([
      PushRetryableError.className,
      PushRetryableError.className,
    ]);
  });

  it('costs no image when it is killed in mid-batch', async () => {
    const { run, fake, executor } = await warmed();
    let killed = false;
    fake.behaviour.override = (_, response) => {
      if (killed) return false;
      killed = true;
      response.socket?.destroy();
      void fake.down().then(() => fake.up());
      return true;
    };
    expect(boxesOf(await run(imagesOf('a', 'bb', 'ccc')))).toEqual([1, 2, 3]);
    expect(executor.stats?.()).toMatchObject({ crashes: 1, consecutiveCrashes: 0 });
  });

  it('convicts the image that kills it, alone and in its first call, and no other', async () => {
    const { run, fake } = await warmed();
    const reviving = new AbortController();
    const revive = async (): Promise<void> => {
      while (!reviving.signal.aborted) {
        await delay(5);
        await fake.up().catch(() => undefined);
      }
    };
    const reviver = revive();
    const outcomes = await run(imagesOf('a', 'die', 'ccc', 'dddd'));
    reviving.abort();
    await reviver;
    expect(boxesOf(outcomes)).toEqual([1, HandlerCrashError.className, 3, 4]);
  });

  it('is given up when it hangs and does not come back, and its images are left to lapse', async () => {
    const { run, executor } = await warmed({}, { restartTimeoutMs: 60 });
    expect(boxesOf(await run(imagesOf('a', 'hang', 'ccc'), { timeoutMs: 40 }))).toEqual(
      Array.from({ length: 3 }, () => HandlerUnavailableError.className),
    );
    expect(executor.unavailable?.()).toContain('no answer within 40 ms');
  });

  it('costs the image that it hangs on, when it can be had back', async () => {
    const { run, fake, executor } = await warmed();
    let seen = 0;
    const freeing = setInterval(() => {
      const timeouts = executor.stats?.().timeouts ?? 0;
      if (timeouts === seen || fake.hanging === 0) return;
      seen = timeouts;
      fake.release();
    }, 5);
    const outcomes = await run(imagesOf('a', 'hang', 'ccc', 'dddd'), { timeoutMs: 300 });
    clearInterval(freeing);
    expect(boxesOf(outcomes)).toEqual([1, HandlerTimeoutError.className, 3, 4]);
  });

  it('is not tried with every part of a batch when it ends no call', async () => {
    const { run, fake } = await warmed();
    fake.behaviour.override = () => true;
    const outcomes = await run(imagesOf('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), { timeoutMs: 20 });
    expect(boxesOf(outcomes).slice(-4)).toEqual(
      Array.from({ length: 4 }, () => HandlerUnavailableError.className),
    );
    expect(boxesOf(outcomes)).not.toContain(HandlerTimeoutError.className);
    expect(fake.calls.length).toBeLessThan(8);
  });

  it('is not asked for what nobody waits for any more', async () => {
    const { run, fake } = await warmed();
    const hard = new AbortController();
    const hanging = run(imagesOf('hang'), { signal: hard.signal });
    const waiting = run(imagesOf('moth'), { signal: hard.signal });
    await until(() => fake.hanging === 1);
    hard.abort();
    expect(boxesOf(await hanging)).toEqual([HandlerAbortError.className]);
    expect(boxesOf(await waiting)).toEqual([HandlerAbortError.className]);
    fake.release();
    expect(boxesOf(await run(imagesOf('moths')))).toEqual([5]);
    expect(fake.calls.map(({ ids }) => ids.length)).toEqual([1, 1]);
  });

  it('ends every call at its close', async () => {
    const { run, fake, executor } = await warmed();
    const hanging = run(imagesOf('hang'));
    await until(() => fake.calls.length === 1);
    await executor.close();
    expect(boxesOf(await hanging)).toEqual([HandlerAbortError.className]);
    expect(boxesOf(await run(imagesOf('moth')))).toEqual([HandlerAbortError.className]);
  });

  it('is stopped, with advice, when it cannot reach the images that are served to it', async () => {
    const { run, fake, executor } = await bridge();
    fake.behaviour.override = (_, response) => {
      response.writeHead(500).end('Internal Server Error');
      return true;
    };
    expect(boxesOf(await run(imagesOf('moth')))).toEqual([PushContractError.className]);
    expect(executor.unavailable?.()).toContain("set images: 'url'");
  });

  it('is stopped when it answers with an algorithm that it does not describe, and not when it does by now', async () => {
    const { run, fake, executor, pipeline } = await warmed();
    fake.behaviour.edit = (answer) => ({
      ...answer,
      detections: answer.detections.map((detection) => ({
        ...detection,
        algorithm: { name: 'New box', key: 'new_box' },
      })),
    });
    const info = structuredClone(fake.behaviour.info) as { pipelines: { algorithms: object[] }[] };
    Object.assign(info.pipelines[0]?.algorithms[0] ?? {}, { key: 'new_box', name: 'New box' });
    fake.behaviour.info = info;
    expect(boxesOf(await run(imagesOf('moth')))).toEqual([4]);
    expect(pipeline.detector.key).toBe('new_box');
    fake.behaviour.edit = (answer) => ({
      ...answer,
      detections: answer.detections.map((detection) => ({ ...detection, algorithm: { key: 'newer_box' } })),
    });
    expect(boxesOf(await run(imagesOf('moth')))).toEqual([PushContractError.className]);
    expect(executor.unavailable?.()).toContain('newer_box');
  });
});
