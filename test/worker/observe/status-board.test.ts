import { StatusBoard, type FoundBox } from 'antenna-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { foundBoxes } from '../../../src/worker/handler/found-boxes.js';
import { createWorld, until, type World } from '../../support/worlds.js';

const worlds: World[] = [];
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.close()));
});

async function world(...args: Parameters<typeof createWorld>): Promise<World> {
  const made = await createWorld(...args);
  worlds.push(made);
  return made;
}

describe('a status board', () => {
  it('knows the jobs with the server’s own counts, what failed and why, and shows no signature', async () => {
    const images = ['https://images.invalid/1.jpg', 'https://images.invalid/404.jpg?signature=secret'];
    const { worker: make, job, server } = await world('api-key', 'msw', { images });
    const worker = make();
    const board = new StatusBoard({ worker, name: 'worker-7', device: 'a card' });
    await worker.run({ until: 'drained' });
    server.settle();
    board.status();
    await until(() => board.status().jobs[0]?.done === 2);
    const status = board.status();
    expect(status).toMatchObject({
      name: 'worker-7',
      device: 'a card',
      state: 'stopped',
      counters: { succeeded: 1, failed: 1 },
    });
    expect(status.jobs).toMatchObject([
      { id: job.id, total: 2, done: 2, failed: 1, mine: { succeeded: 1, failed: 1 } },
    ]);
    expect(status.failures).toMatchObject([{ jobId: job.id, final: true }]);
    expect(JSON.stringify(status)).not.toMatch(/signature=|secret/);
    expect(status.images).toEqual([]);
  });

  it('asks the server for nothing while nobody looks', async () => {
    const { worker: make, server, job } = await world('api-key', 'msw');
    const worker = make();
    const board = new StatusBoard({ worker });
    await worker.run({ until: 'drained' });
    expect(
      server.requests.filter(({ method, path }) => method === 'GET' && path.endsWith(`/jobs/${job.id}/`)),
    ).toEqual([]);
    board.close();
  });

  it('keeps the last images, newest first and not all, only when told to', async () => {
    const images = Array.from({ length: 20 }, (_, index) => `https://images.invalid/${index}.jpg`);
    const { worker: make } = await world('api-key', 'msw', { images });
    const worker = make();
    const board = new StatusBoard({ worker, view: true });
    await worker.run({ until: 'drained' });
    const { images: kept } = board.status();
    expect(kept.length).toBe(12);
    expect([...kept].map(({ at }) => at)).toEqual(
      [...kept]
        .map(({ at }) => at)
        .sort()
        .reverse(),
    );
    expect(kept[0]?.url).toMatch(/^https:\/\/images\.invalid/);
  });
});

describe('the boxes of a result', () => {
  const algorithms = new Map([
    ['boxes', { key: 'boxes', name: 'Boxes' }],
    [
      'moths',
      {
        key: 'moths',
        name: 'Moths',
        category_map: {
          data: [
            { index: 0, label: 'a' },
            { index: 1, label: 'b' },
          ],
        },
      },
    ],
  ] as const);
  const bbox = { x1: 1, y1: 2, x2: 3, y2: 4 };
  const boxes = (detections: Parameters<typeof foundBoxes>[1]['detections']): FoundBox[] =>
    foundBoxes({ algorithms } as unknown as Parameters<typeof foundBoxes>[0], { detections });

  it('carry the label at the highest score of the classification that counts', () => {
    const steps = [
      { scores: [0.9, 0.1], terminal: false },
      { scores: [0.2, 0.8] },
      { scores: [1, 0], terminal: false },
    ];
    expect(boxes([{ bbox, classifications: steps }])).toEqual([{ bbox, label: 'b', score: 0.8 }]);
    expect(boxes([{ bbox, classifications: [{ classification: 'c', scores: [0.4] }] }])).toEqual([
      { bbox, label: 'c', score: 0.4 },
    ]);
  });

  it('are none for what has no box, and unnamed without a classification', () => {
    expect(boxes([{ bbox: null }, { bbox }])).toEqual([{ bbox, label: undefined, score: undefined }]);
  });
});
