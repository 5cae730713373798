import { silentLogger, systemClock } from 'antenna-sdk';
import { afterAll, describe, expect, it } from 'vitest';
import { generateImages } from '../../../examples/insect-detector/demo-images.js';
import { insectPipeline } from '../../../examples/insect-detector/pipeline.js';

const executor = insectPipeline.createExecutor(systemClock);
afterAll(() => executor.close());

describe('the example’s pipeline', () => {
  it('computes in a thread, so that the worker’s own is free: nothing stalls, and no image makes a warning', async () => {
    expect(executor.kind).toBe('thread');
    const [[name, bytes] = ['', Buffer.alloc(0)]] = [...(await generateImages(1))];
    const image = {
      ...{
        id: '1',
        url: `https://images.example/${name}`,
        contentType: 'image/jpeg',
        jobId: 1,
        detections: [],
      },
      bytes: Buffer.from(bytes),
      task: { id: '1', image_id: '1', image_url: name, reply_subject: 's' },
    };
    const context = {
      ...{ signal: new AbortController().signal, config: {}, logger: silentLogger },
      deadline: { remainingMs: () => 30_000 },
    };
    const [good, damaged] = await executor.run(
      [image, { ...image, id: '2', bytes: Buffer.from('no image') }],
      context,
    );
    expect(good).toMatchObject({ ok: true, result: { detections: expect.any(Array) as unknown } });
    expect(damaged).toMatchObject({ ok: false, error: { name: 'PermanentTaskError' } });
  }, 60_000);
});
