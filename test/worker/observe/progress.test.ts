import { PassThrough } from 'node:stream';
import type { AntennaWorker } from 'antenna-sdk';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { progressBar, type ProgressEvents } from '../../../src/worker/observe/progress.js';
import type { EventSource } from '../../../src/worker/observe/record-events.js';
import { Teller } from './support.js';

/** A terminal of 100 columns that keeps what is written. */
function terminal(isTTY: boolean): { stream: NodeJS.WriteStream; written: () => string } {
  const chunks: string[] = [];
  const stream = Object.assign(new PassThrough(), {
    isTTY,
    columns: 100,
    ...{ cursorTo: () => true, moveCursor: () => true, clearLine: () => true, clearScreenDown: () => true },
  });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  return { stream: stream as never, written: () => chunks.join('') };
}

function work(worker: Teller<ProgressEvents>): void {
  worker.tell('reserved', { count: 4 });
  worker.tell('task', { outcome: 'success', detections: 3 });
  worker.tell('task', { outcome: 'error', detections: 0 });
  worker.tell('posted', { count: 2 });
}

describe('the progress bar', () => {
  it('shows what is done of what was taken', async () => {
    const worker = new Teller<ProgressEvents>();
    const { stream, written } = terminal(true);
    const bar = await progressBar(worker, { stream });
    work(worker);
    bar.stop();
    bar.stop();
    await new Promise((resolve) => setImmediate(resolve));
    expect(written()).toContain('2/4 images | 3 detections | 1 failed | 2 posted');
    expect(worker.listeners).toBe(0);
  });

  it('writes nothing and listens to nothing when it is no terminal', async () => {
    const worker = new Teller<ProgressEvents>();
    const { stream, written } = terminal(false);
    const bar = await progressBar(worker, { stream });
    expect(worker.listeners).toBe(0);
    work(worker);
    bar.stop();
    await new Promise((resolve) => setImmediate(resolve));
    expect(written()).toBe('');
  });

  it('takes a worker as it is', () => {
    expectTypeOf<AntennaWorker>().toExtend<EventSource<ProgressEvents>>();
  });
});
