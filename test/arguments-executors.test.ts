import { fileURLToPath } from 'node:url';
import * as sdk from 'antenna-sdk';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fakePushService } from './support/push-service.js';
import { contextOf, imagesOf } from './worker/executors/support.js';

const module = fileURLToPath(new URL('worker/executors/handlers/basic.mjs', import.meta.url));

/** Every executor that users make or are given; none is started by a call that is refused. */
const MAKE: Readonly<Record<string, () => sdk.Executor | Promise<sdk.Executor>>> = {
  InlineExecutor: () => new sdk.InlineExecutor({ process: () => ({ detections: [] }) }),
  ThreadExecutor: () => new sdk.ThreadExecutor({ module }),
  ProcessExecutor: () => new sdk.ProcessExecutor({ module }),
  CommandExecutor: () => new sdk.CommandExecutor({ command: 'a-program-that-is-not-there' }),
  AttachedExecutor: () => new sdk.AttachedExecutor({ listen: { port: 0, token: 'a'.repeat(32) } }),
  'executor of pushService': async () => {
    const fake = await fakePushService();
    const service = await sdk.pushService({ url: fake.url, logger: sdk.silentLogger, pollIntervalMs: 2 });
    onTestFinished(async () => {
      await service.close();
      await fake.close();
    });
    const [pipeline] = service.pipelines;
    if (!pipeline) throw new Error('the fake service has no pipeline');
    return pipeline.createExecutor(sdk.systemClock);
  },
};

const NO_BATCH: readonly unknown[] = [undefined, null, 5, 'x', {}, [null], [5], ['x'], new Array(2)];
const NO_CONTEXT: readonly unknown[] = [null, 5, 'x', [], {}, { signal: 5 }, { signal: {} }];
const NO_CLOSING: readonly unknown[] = [null, 5, 'x', [], { graceMs: '5' }, { graceMs: -1 }, { grace: 5 }];

type Anyhow = Readonly<Record<string, ((...args: unknown[]) => unknown) | undefined>>;

async function refusal(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    return error;
  }
}

describe('every executor', () => {
  it('that is exported is swept', () => {
    const exported = Object.keys(sdk).filter((name) => name.endsWith('Executor'));
    expect(Object.keys(MAKE)).toEqual(expect.arrayContaining(exported));
    expect(exported.length).toBe(Object.keys(MAKE).length - 1);
  });

  it.each(Object.entries(MAKE))('%s refuses arguments that are none with words', async (name, make) => {
    const executor = (await make()) as unknown as Anyhow;
    onTestFinished(async () => {
      await executor['close']?.();
    });
    const context = contextOf({ pipeline: 'fake-1' });
    const calls = [
      ...NO_BATCH.map((bad) => ['run', bad, context]),
      ...[undefined, ...NO_CONTEXT].map((bad) => ['run', imagesOf('a'), bad]),
      ...(name === 'executor of pushService' ? [] : NO_CONTEXT.map((bad) => ['warmUp', bad])),
      ...(name === 'ProcessExecutor' || name === 'CommandExecutor'
        ? NO_CLOSING.map((bad) => ['close', bad])
        : []),
    ] as const;
    for (const [method, ...args] of calls) {
      const error = await refusal(() => executor[String(method)]?.(...args));
      const label = `${String(method)}, arguments ${args.map((arg) => typeof arg).join(' and ')}`;
      expect(error, label).toBeInstanceOf(sdk.AntennaConfigError);
      expect((error as Error).message, label).not.toMatch(/\[object Object\]|Cannot read|is not a function/);
    }
  });

  it('says which argument of run is wrong and what it must be', async () => {
    const executor = new sdk.InlineExecutor({ process: () => ({ detections: [] }) });
    const error = await refusal(() => executor.run(5 as never, { signal: 5 } as never));
    expect((error as Error).message).toBe(
      'Invalid arguments: batch: must be an array of images; context: signal must be an AbortSignal',
    );
  });
});
