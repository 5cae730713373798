import { PermanentTaskError } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readTaskDetections } from '../../../src/contract/task-detections.js';
import { taskSchema } from '../../../src/contract/tasks.js';
import { readConfig } from '../../../src/worker/handler/task-config.js';

const configSchema = z.strictObject({
  threshold: z.number().min(0).max(1).default(0.5),
  labels: z.array(z.string()).optional(),
});

describe('the configuration of a task', () => {
  it('is empty on today’s servers, and the result tells nothing of it', () => {
    for (const config of [undefined, null])
      expect(readConfig({}, { config })).toEqual({ used: {}, echo: undefined });
  });

  it('goes to the handler without the keys that are for the server, and back as it was used', () => {
    const config = { request_source_image_batch_size: 4, threshold: 0.7 };
    expect(readConfig({}, { config })).toEqual({ used: { threshold: 0.7 }, echo: config });
    expect(readConfig({ configSchema }, { config })).toEqual({ used: { threshold: 0.7 }, echo: config });
  });

  it('has the defaults of the pipeline’s schema, which the result tells', () => {
    const used = { threshold: 0.5 };
    expect(readConfig({ configSchema }, { config: undefined })).toEqual({ used, echo: used });
    expect(readConfig({ configSchema }, { config: {} })).toEqual({ used, echo: used });
  });

  it.each([
    [{ threshold: 2 }, 'config.threshold'],
    [{ thresold: 0.2 }, 'thresold'],
    [{ labels: ['moth', 5] }, 'config.labels.1'],
  ])('that the schema refuses is the task’s own error and names the key: %j', (config, words) => {
    expect(() => readConfig({ configSchema }, { config })).toThrow(PermanentTaskError);
    expect(() => readConfig({ configSchema }, { config })).toThrow(words);
  });
});

describe('the boxes of a task', () => {
  const task = (detections: unknown) =>
    taskSchema.parse({ id: '1', image_id: '1', image_url: 'u', reply_subject: 's', detections });
  const bbox = { x1: 1, y1: 2, x2: 3, y2: 4 };
  const box = {
    id: 9,
    source_image: { id: '1', url: 'u' },
    bbox,
    crop_image_url: null,
    algorithm: { name: 'B', key: 'b' },
  };

  it('are none on today’s servers', () => {
    for (const none of [undefined, null, []])
      expect(readTaskDetections(task(none))).toEqual({ detections: [], leftOut: [] });
  });

  it('are read one by one: one that is damaged costs itself, and is named', () => {
    const given = [box, { ...box, bbox: null }, { ...box, bbox: { ...bbox, x2: 'wide' } }, 7, { bbox }];
    const { detections, leftOut } = readTaskDetections(task(given));
    expect(detections).toEqual([box, { bbox }]);
    expect(leftOut.map((entry) => entry.split(':')[0])).toEqual([
      'detections.1.bbox',
      'detections.2.bbox.x2',
      'detections.3',
    ]);
    expect(readTaskDetections(task('none')).leftOut).toEqual(['detections: not a list']);
  });
});
