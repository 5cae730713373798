import { spawn } from 'node:child_process';
import {
  AntennaConfigError,
  CommandExecutor,
  HandlerOutputError,
  HandlerTimeoutError,
  OutOfMemoryTaskError,
  PermanentTaskError,
  RetryableTaskError,
} from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { frameHead } from '../../../../src/worker/executors/command/frames.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { contextOf, FROM_SOURCES, handler, imagesOf, listeningLogger, read, wentWell } from '../support.js';
import { errorOf, fake, isRunning, openFiles, pids, zombies } from './support.js';

describe('a handler in another language', () => {
  it('gets the bytes as they came with all that is known of the images, and says what it can do', async () => {
    const executor = fake();
    expect(await executor.warmUp(contextOf())).toBe(4.5);
    expect(executor.description).toMatchObject({ warm_up_ms: 12, pipelines: [{ slug: 'fake-moths' }] });
    const url = 'https://images.example/0.jpg?X-Amz-Signature=abc';
    const context = contextOf({ config: { threshold: 0.4 }, pipeline: 'fake-moths', timeoutMs: 9_000 });
    const outcomes = await executor.run(
      imagesOf('moth').map((image) => ({ ...image, url })),
      context,
    );
    expect(read(outcomes)[0]).toMatchObject({
      word: 'moth',
      image: {
        id: 'img-0',
        bytes: 4,
        url: 'https://images.example/0.jpg',
        content_type: 'image/jpeg',
        job_id: 7,
      },
      seen: { config: { threshold: 0.4 }, pipeline: 'fake-moths', timeout_ms: 9_000, deadline_ms: 25_000 },
    });
  });

  it('gets the boxes that the server knows already, with those images alone that have some', async () => {
    const detections = [
      { bbox: { x1: 1, y1: 2, x2: 3, y2: 4 }, algorithm: { name: 'Old box', key: 'old-box' } },
    ];
    const [known, unknown] = imagesOf('a', 'b');
    if (!known || !unknown) throw new Error('two images were made');
    const images = [{ ...known, detections } as unknown as typeof known, unknown];
    const outcomes = await fake({ mode: 'batch' }).run(images, contextOf());
    expect(read(outcomes).map((result) => (result as { image: object }).image)).toEqual([
      expect.objectContaining({ id: 'img-0', detections }),
      expect.not.objectContaining({ detections: expect.anything() as unknown }),
    ]);
  });

  it('keeps each failure to its image, with what it means and where it was', async () => {
    const words = ['a', 'throw', 'permanent', 'retryable', 'out_of_memory', 'silent', '', 'b'];
    const outcomes = await fake({ mode: 'batch' }).run(imagesOf(...words), contextOf());
    expect(wentWell(outcomes)).toEqual([true, false, false, false, false, false, true, true]);
    expect(errorOf(outcomes[1])).toMatchObject({ name: 'ValueError', message: 'bad' });
    expect((errorOf(outcomes[1]) as Error).stack).toContain('File "model.py"');
    expect(errorOf(outcomes[2])).toBeInstanceOf(PermanentTaskError);
    expect(errorOf(outcomes[3])).toBeInstanceOf(RetryableTaskError);
    expect(errorOf(outcomes[4])).toBeInstanceOf(OutOfMemoryTaskError);
    expect(errorOf(outcomes[5])).toBeInstanceOf(HandlerOutputError);
  });

  it('that runs out of memory gets the same images in smaller batches until they fit', async () => {
    const attempts: number[] = [];
    const outcomes = await fake({ mode: 'batch' }).run(
      imagesOf('room-2', 'room-2', 'room-2', 'room-2', 'room-2', 'room-2', 'room-2', 'room-2'),
      contextOf({ onAttempt: ({ images, error }) => attempts.push(error ? -images.length : images.length) }),
    );
    expect(wentWell(outcomes)).not.toContain(false);
    expect(attempts).toEqual([-8, -4, 2, 2, -4, 2, 2]);
  });

  it('is asked once for an image that two tasks name', async () => {
    const twice = [...imagesOf('a'), ...imagesOf('a')];
    const outcomes = await fake({ mode: 'batch' }).run(twice, contextOf());
    expect(wentWell(outcomes)).toEqual([true, true]);
  });

  it('may print before it begins, log, and tell of its progress; no secret gets into a log', async () => {
    const { logger, lines } = listeningLogger();
    const executor = fake({ start: 'prints', logger });
    await executor.run(imagesOf('say'), contextOf({ logger }));
    const said = lines.join('\n');
    expect(said).toContain('loading ANT weights');
    expect(said).toContain(
      'warn a handler says {"reason":"key abc of https://images.example/a.jpg?[redacted]"}',
    );
    expect(said).toContain('1 of 2 half');
    expect(said).not.toContain('0123456789');
  });

  it('works side by side in several processes, each with its own graphics card', async () => {
    const executor = fake({ devices: [3, 'GPU-8f6'], env: (index) => ({ OWN: `process ${index}` }) });
    await executor.warmUp();
    const outcomes = await executor.run(imagesOf('slow-300', 'slow-300'), contextOf());
    const seen = read(outcomes).map((result) => (result as { env: NodeJS.ProcessEnv }).env);
    expect(seen.map((env) => `${env['CUDA_VISIBLE_DEVICES']} ${env['OWN']}`).sort()).toEqual([
      '3 process 0',
      'GPU-8f6 process 1',
    ]);
  });

  it('gets none of the worker’s credentials, by whatever name', async () => {
    const secrets = {
      ANTENNA_API_KEY: 'k-secretsecret',
      AMI_ANTENNA_API_AUTH_TOKEN: 't-secretsecret',
      ANTENNA_PASSWORD: 'p-secretsecret',
      ANTENNA_CLIENT_SECRET: 'c-secretsecret',
    };
    Object.assign(process.env, secrets, { AMI_USER_DATA_PATH: '/weights' });
    try {
      const [result] = read(await fake({ env: { MODEL: 'm' } }).run(imagesOf('a'), contextOf()));
      const { env } = result as { env: NodeJS.ProcessEnv };
      expect(JSON.stringify(env)).not.toContain('secretsecret');
      expect(env).toMatchObject({ AMI_USER_DATA_PATH: '/weights', MODEL: 'm', ANTENNA_HANDLER: '1' });
    } finally {
      for (const name of [...Object.keys(secrets), 'AMI_USER_DATA_PATH'])
        Reflect.deleteProperty(process.env, name);
    }
  });
});

describe('a handler that breaks the protocol', () => {
  it.each([
    'exit',
    'sigkill',
    'garbage',
    'huge',
    'nan',
    'unknown',
    'misfit',
    'twice',
    'foreign',
    'other-call',
  ])('costs the one image, found by halves; the others are not touched: %s', async (poison) => {
    const words = ['a', 'b', poison, 'd'];
    const outcomes = await fake({ mode: 'batch' }).run(imagesOf(...words), contextOf());
    expect(wentWell(outcomes)).toEqual([true, true, false, true]);
    expect(errorOf(outcomes[2])).toMatchObject({ name: 'HandlerCrashError', fresh: true });
  });

  it('is told why, and so is the log; what came is not in the error, which may be public', async () => {
    const { logger, lines } = listeningLogger();
    const executor = fake({ logger });
    const [garbage, twice] = await executor.run(imagesOf('garbage', 'twice'), contextOf());
    expect(lines.join('\n')).toMatch(/broke the protocol.*Epoch 1\/10.*Bearer \[redacted\]/);
    expect(errorOf(garbage)).toHaveProperty(
      'message',
      expect.stringMatching(/print to standard error instead$/),
    );
    expect(errorOf(twice)).toHaveProperty(
      'message',
      expect.stringMatching(/answered twice for image "img-1"/),
    );
  });

  it('is not believed when it answers after it was done', async () => {
    const executor = fake();
    expect(wentWell(await executor.run(imagesOf('after', 'b', 'c'), contextOf()))).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('may die at any byte of its answer: the image fails, the others do not, nothing is left behind', async () => {
    const answer = frameHead({ type: 'answer', call: 1, id: 'img-0', result: { detections: [] } }).length;
    const done = frameHead({ type: 'done', call: 1 }).length;
    const executor = fake({ processes: 4 });
    await executor.warmUp();
    const before = openFiles();
    const cuts = [0, 1, 4, 11, 12, 13, answer - 1, answer, answer + 5, answer + 12, answer + done - 1];
    const words = cuts.flatMap((cut) => [`cut-${cut}`, 'well']);
    const outcomes = await executor.run(imagesOf(...words), contextOf());
    expect(wentWell(outcomes)).toEqual(words.map((word) => word === 'well'));
    await executor.close();
    // What was killed last is reaped a moment later.
    await expect.poll(zombies, { timeout: 5_000 }).toEqual([]);
    expect(openFiles()).toBeLessThanOrEqual(before);
  }, 60_000);

  it.each(['close-out', 'close-in'])('or closes its streams, is ended with its group: %s', async (poison) => {
    const outcomes = await fake({ mode: 'batch' }).run(imagesOf('a', poison), contextOf());
    expect(wentWell(outcomes)).toEqual([true, false]);
  });
});

describe('a handler that hangs', () => {
  it.each([
    ['the worker', {}, 60_000],
    ['the executor, also in a worker that would wait longer,', { timeoutMs: 60_000 }, 300_000],
  ])(
    'is ended after the time of %s with its whole group, and costs the one image',
    async (_, limits, timeoutMs) => {
      const clock = new ManualClock();
      const { logger, said } = listeningLogger();
      const executor = fake({ clock, ...limits });
      const [pid] = pids(await executor.run(imagesOf('a'), contextOf()));
      const work = executor.run(imagesOf('never', 'b'), contextOf({ logger, timeoutMs }));
      await said('never ends');
      clock.advance(60_000);
      clock.advance(1_000);
      const outcomes = await work;
      expect(wentWell(outcomes)).toEqual([false, true]);
      expect(errorOf(outcomes[0])).toBeInstanceOf(HandlerTimeoutError);
      expect(isRunning(pid ?? 0)).toBe(false);
    },
  );

  it('does not keep close() from ending', async () => {
    const executor = fake({ abortGraceMs: 1, start: 'stays' });
    const [pid] = pids(await executor.run(imagesOf('a'), contextOf()));
    await executor.close();
    expect(isRunning(pid ?? 0)).toBe(false);
  });
});

describe('a handler that cannot start', () => {
  it.each([
    [
      'missing',
      /ended at its start: exit code 1\. It printed last:[^]*ModuleNotFoundError: No module named "torch"/,
    ],
    ['cuda', /No CUDA GPUs are available/],
    ['newer', /speaks version 2 of the protocol and this worker version 1/],
  ])('fails the warm-up with the reason and its own last lines: %s', async (start, words) => {
    await expect(fake({ start }).warmUp()).rejects.toThrow(words);
  });

  it('because it hangs is given up after its time, with its last lines and without what they hold of secrets', async () => {
    const clock = new ManualClock();
    const { logger, said } = listeningLogger();
    const executor = fake({ start: 'hangs', clock, logger, startTimeoutMs: 30_000 });
    const failed = executor.warmUp().catch((error: unknown) => String(error));
    await said('waiting for the graphics card');
    clock.advance(30_000);
    const words = await failed;
    expect(words).toMatch(/not ready after 30000 ms\. It printed last:\n {2}waiting for the graphics card/);
    expect(words).not.toContain('0123456789abcdef');
  });

  it('because there is no such program says so', async () => {
    const executor = new CommandExecutor({ command: 'no-such-program-anywhere' });
    await expect(executor.warmUp()).rejects.toThrow(/ENOENT/);
  });

  it('leaves images to other workers, and its last lines out of what may become public', async () => {
    const outcomes = await fake({ start: 'missing' }).run(imagesOf('a'), contextOf());
    expect(errorOf(outcomes[0])).toMatchObject({ name: 'HandlerStartError' });
    expect((errorOf(outcomes[0]) as Error).message).not.toContain('torch');
  });

  it('with wrong options is refused at once', () => {
    expect(() => new CommandExecutor({ command: '', processes: 0 })).toThrow(AntennaConfigError);
  });
});

describe('a handler’s process', () => {
  it('is replaced after so many calls, or when it has grown too large', async () => {
    const old = fake({ recycle: { maxBatches: 2 } });
    const [a, b, c] = pids(await old.run(imagesOf('1', '2', '3'), contextOf()));
    expect([a === b, b === c]).toEqual([true, false]);
    const fat = fake({ recycle: { maxRssBytes: 1e9 } });
    const [d, e] = pids(await fat.run(imagesOf('fat', 'b'), contextOf()));
    expect(d === e).toBe(false);
    expect([old.stats().recycles, fat.stats().recycles]).toEqual([1, 1]);
  });

  it('ends with the worker even when that is killed', async () => {
    const program = handler('../command/killed-parent.ts');
    const parent = spawn(process.execPath, [...FROM_SOURCES, program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
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
