import { fileURLToPath } from 'node:url';
import {
  AntennaConfigError,
  HandlerStartError,
  pushService,
  systemClock,
  type PushService,
} from 'antenna-sdk';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../support/worlds.js';
import { contextOf, imagesOf } from '../worker/executors/support.js';
import { boxesOf, fakeService, HASTE } from './support.js';

const SERVICE = fileURLToPath(new URL('./services/tiny-service.mjs', import.meta.url));

/** A free port: one that was just free. */
async function freePort(): Promise<number> {
  const fake = await fakeService();
  const port = Number(new URL(fake.url).port);
  await fake.close();
  return port;
}

async function started(env: Record<string, string> = {}, more: object = {}): Promise<PushService> {
  const port = await freePort();
  const service = await pushService({
    url: `http://127.0.0.1:${port}`,
    start: { command: process.execPath, args: [SERVICE], env: { PORT: String(port), ...env } },
    ...HASTE,
    ...more,
  });
  onTestFinished(() => service.close());
  return service;
}

const isAlive = (pid: number | undefined): boolean => {
  try {
    process.kill(pid ?? 0, 0);
    return pid !== undefined;
  } catch {
    return false;
  }
};

function executorOf(service: PushService) {
  const executor = service.pipelines[0]?.createExecutor(systemClock);
  if (!executor) throw new Error('no pipeline');
  onTestFinished(() => executor.close());
  return executor;
}

describe('a push service that the bridge starts', () => {
  it('runs as long as the worker, and ends with it', async () => {
    const service = await started();
    const { pid } = service;
    const executor = executorOf(service);
    expect(boxesOf(await executor.run(imagesOf('moth', 'moths'), contextOf()))).toEqual([4, 5]);
    await executor.close();
    expect(isAlive(pid)).toBe(false);
  });

  it('is started again for the next run', async () => {
    const service = await started();
    const first = executorOf(service);
    await first.run(imagesOf('moth'), contextOf());
    const { pid } = service;
    await first.close();
    const second = executorOf(service);
    await second.warmUp?.();
    expect(boxesOf(await second.run(imagesOf('moth'), contextOf()))).toEqual([4]);
    expect(service.pid).not.toBe(pid);
  });

  it('is started again when it was killed in mid-batch, which costs no image', async () => {
    const service = await started();
    const executor = executorOf(service);
    await executor.run(imagesOf('a'), contextOf());
    const { pid } = service;
    const batch = executor.run(imagesOf('slow', 'bb'), contextOf());
    await until(() => executor.stats?.().busy === 1);
    process.kill(-(pid ?? 0), 'SIGKILL');
    expect(boxesOf(await batch)).toEqual([4, 2]);
    expect(service.pid).not.toBe(pid);
  });

  it('is killed and started again when it hangs, and only the image that it hangs on fails', async () => {
    const service = await started({}, { timeoutMs: 400 });
    const executor = executorOf(service);
    await executor.run(imagesOf('a'), contextOf());
    const { pid } = service;
    expect(boxesOf(await executor.run(imagesOf('a', 'hang', 'ccc'), contextOf()))).toEqual([
      1,
      'HandlerTimeoutError',
      3,
    ]);
    expect(isAlive(pid)).toBe(false);
  });

  it('says in its own last words why it cannot be started', async () => {
    const failing = started({ BROKEN: 'ModuleNotFoundError: No module named torch' });
    await expect(failing).rejects.toThrow(HandlerStartError);
    await expect(failing).rejects.toThrow(/exit code 3.*No module named torch/);
  });

  it('is given up when it is not ready in time', async () => {
    const failing = started({ NEVER: '1' }, { startTimeoutMs: 300 });
    await expect(failing).rejects.toThrow(/not ready after 300 ms/);
  });

  it('is not started where something else listens', async () => {
    const other = await fakeService();
    const failing = pushService({
      url: other.url,
      start: { command: process.execPath, args: [SERVICE] },
      ...HASTE,
    });
    await expect(failing).rejects.toThrow(AntennaConfigError);
    await expect(failing).rejects.toThrow(/something else listens/);
  });

  it('names every wrong option', async () => {
    const wrong = pushService({ url: 'localhost:2000', maxBatchSize: 0, start: { command: '' } });
    await expect(wrong).rejects.toThrow(/url: must be an http.*start\.command: .*maxBatchSize: /);
    await expect(pushService({})).rejects.toThrow(/url: is required unless start is given/);
  });
});
