import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RetryableTaskError, type BatchOutcome } from 'antenna-sdk';
import { blobDetector } from '../../examples/onnx/blob-model.js';
import { HandlerAbortError } from '../../src/worker/executors/joined-signal.js';
import { EXECUTOR_DEFAULTS } from '../../src/worker/executors/defaults.js';
import {
  HandlerCrashError,
  HandlerStartError,
  HandlerTimeoutError,
} from '../../src/worker/executors/execution-errors.js';
import { OnnxExecutor } from '../../src/onnx/executor.js';
import { resolveDescription } from '../../src/onnx/resolve.js';
import { ManualClock } from '../support/manual-clock.js';
import { contextOf, FROM_SOURCES, wentWell } from '../worker/executors/support.js';
import { describing, modelFolder, sheet, taskImage } from './support.js';

const PATIENCE = 120_000;
const models = modelFolder({ 'blobs.onnx': blobDetector({ side: 64 }) });
afterAll(() => {
  models.dispose();
});

type Thread = 'onnx-session' | 'onnx-prepare';

let clock: ManualClock;
let executor: OnnxExecutor;
let images: ReturnType<typeof taskImage>[];

beforeEach(async () => {
  clock = new ManualClock();
  const fate = new URL('./fate.mjs', import.meta.url);
  fate.searchParams.set('folder', models.folder);
  executor = new OnnxExecutor({
    description: resolveDescription(describing(), models.folder),
    execArgv: [...FROM_SOURCES, '--import', fate.href],
    clock,
    random: () => 1,
  });
  const bytes = await sheet(64, 64, [{ x: 30, y: 30, width: 12, height: 10 }])
    .png()
    .toBuffer();
  images = [taskImage('a', bytes), taskImage('b', bytes)];
});
afterEach(async () => {
  await executor.close({ graceMs: 0 });
  for (const thread of ['onnx-session', 'onnx-prepare'])
    for (const when of ['start', 'run'])
      for (const end of ['', '.done'])
        rmSync(join(models.folder, `${when}-${thread}${end}`), { force: true });
});

const run = (): Promise<readonly BatchOutcome[]> => executor.run(images, contextOf());

/** Ends or holds a thread, and waits until it has met its fate. */
async function meets(thread: Thread, fate: 'exit' | 'block', when: 'run' | 'start' = 'run'): Promise<void> {
  const path = join(models.folder, `${when}-${thread}`);
  rmSync(`${path}.done`, { force: true });
  // Written aside and moved: a thread that looked between the making of the file and its words took "exit" for "block", and hung.
  writeFileSync(`${path}.new`, fate);
  renameSync(`${path}.new`, path);
  await met(thread, when);
}
async function met(thread: Thread, when: 'run' | 'start'): Promise<void> {
  const done = join(models.folder, `${when}-${thread}.done`);
  await vi.waitFor(
    () => {
      if (!existsSync(done)) throw new Error(`${thread} has not met its fate`);
    },
    { timeout: PATIENCE, interval: 5 },
  );
}

/** Ends a thread while two images are in hand: the other kind of thread is held before, so that neither can be done. */
async function dieInMidCall(thread: Thread): Promise<readonly BatchOutcome[]> {
  await executor.warmUp(contextOf());
  await meets(thread === 'onnx-session' ? 'onnx-prepare' : 'onnx-session', 'block');
  const call = run();
  await meets(thread, 'exit');
  return await call;
}

const errorsOf = (outcomes: readonly BatchOutcome[]): readonly unknown[] =>
  outcomes.map((outcome) => (outcome.ok ? 'a result' : outcome.error));

describe(
  'the threads of the models',
  () => {
    it.each(['onnx-session', 'onnx-prepare'] as const)(
      'may die in mid-call (%s): the images in hand are tried again by the worker, the next call has new threads at once',
      async (thread) => {
        for (const error of errorsOf(await dieInMidCall(thread))) {
          expect(error).toBeInstanceOf(HandlerCrashError);
          expect(error).toBeInstanceOf(RetryableTaskError);
          expect(String(error)).toMatch(/a thread of the models died: it exited with code 3/);
        }
        // One death, whatever the number of images it took along.
        expect(executor.stats()).toMatchObject({ crashes: 1, consecutiveCrashes: 1, busy: 0 });
        expect(wentWell(await run())).toEqual([true, true]);
        expect(executor.stats()).toMatchObject({ crashes: 1, consecutiveCrashes: 0 });
      },
    );

    it('are started again only after a wait when they died twice in a row', async () => {
      await dieInMidCall('onnx-session');
      await dieInMidCall('onnx-session');
      const call = run();
      // The time limit of the call, and the wait.
      await vi.waitFor(() => {
        expect(clock.pending).toBe(2);
      });
      // In steps: on a busy machine one of the two may be a timer of the thread that has just died, and the wait begins after it.
      let isOver = false;
      const over = call.finally(() => (isOver = true));
      await vi.waitFor(
        () => {
          clock.advance(isOver ? 0 : 50);
          expect(isOver).toBe(true);
        },
        { timeout: 60_000, interval: 20 },
      );
      expect(wentWell(await over)).toEqual([true, true]);
      expect(clock.pending).toBe(0);
    });

    it('are replaced when a model never returns: the images time out, the next call works', async () => {
      await executor.warmUp(contextOf());
      await meets('onnx-session', 'block');
      const call = run();
      clock.advance(2 * EXECUTOR_DEFAULTS.timeoutMs - 1);
      expect(executor.stats()).toMatchObject({ busy: 1, timeouts: 0 });
      clock.advance(1);
      for (const error of errorsOf(await call)) expect(error).toBeInstanceOf(HandlerTimeoutError);
      expect(executor.stats()).toMatchObject({ busy: 0, timeouts: 1, crashes: 0 });
      expect(wentWell(await run())).toEqual([true, true]);
    });

    it.each(['onnx-session', 'onnx-prepare'] as const)(
      'may die during their start (%s): the worker hears of it, and may start them again',
      async (thread) => {
        writeFileSync(join(models.folder, `start-${thread}`), 'exit');
        const start = executor.warmUp(contextOf());
        await expect(start).rejects.toThrow(HandlerStartError);
        await expect(start).rejects.toThrow(/a thread of the models exited at its start with code 3/);
        expect(wentWell(await run())).toEqual([true, true]);
      },
    );

    it('may die with their models loaded while others start, and are missed', async () => {
      writeFileSync(join(models.folder, 'start-onnx-prepare'), 'block');
      const start = executor.warmUp(contextOf());
      const refused = expect(start).rejects.toThrow(HandlerStartError);
      await met('onnx-prepare', 'start');
      await meets('onnx-session', 'exit');
      await refused;
      expect(wentWell(await run())).toEqual([true, true]);
    });

    it('may never come to an end of their start: the images time out, the next call starts others', async () => {
      writeFileSync(join(models.folder, 'start-onnx-session'), 'block');
      const call = run();
      await met('onnx-session', 'start');
      clock.advance(2 * EXECUTOR_DEFAULTS.timeoutMs);
      for (const error of errorsOf(await call)) expect(error).toBeInstanceOf(HandlerTimeoutError);
      expect(wentWell(await run())).toEqual([true, true]);
    });

    it.each([
      ['runs', 'run'],
      ['starts', 'start'],
    ] as const)(
      'end at once when the executor is closed while a model %s: the server delivers the images again',
      async (_, when) => {
        if (when === 'run') await executor.warmUp(contextOf());
        const held = meets('onnx-session', 'block', when);
        if (when === 'run') await held;
        const call = run();
        await held;
        await executor.close({ graceMs: 0 });
        for (const error of errorsOf(await call)) expect(error).toBeInstanceOf(HandlerAbortError);
        expect(errorsOf(await run())).toEqual([expect.any(HandlerAbortError), expect.any(HandlerAbortError)]);
        expect(clock.pending).toBe(0);
      },
    );
  },
  PATIENCE,
);
