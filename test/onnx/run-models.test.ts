import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PermanentTaskError, type BatchOutcome } from 'antenna-sdk';
import { blobDetector, shadeClassifier, SHADES } from '../../examples/onnx/blob-model.js';
import { OnnxFile } from '../../examples/onnx/onnx-file.js';
import type { OnnxExecutor } from '../../src/onnx/executor.js';
import { contextOf, listeningLogger } from '../worker/executors/support.js';
import { describing, executorFor, modelFolder, sheet, taskImage, type Blob } from './support.js';

// Threads with a model take seconds to start on a busy machine.
const PATIENCE = 120_000;

/** A detector that finds one box at every place, of a shape and type that the test chooses. */
function constantOutputs(outputs: Readonly<Record<string, readonly number[]>>): Uint8Array {
  const file = new OnnxFile();
  const images = file.input('images', 'float32', [1, 3, 64, 64]);
  const zero = file.op('Mul', [file.op('ReduceMean', [images], { keepdims: 0 }), file.scalar(0)]);
  for (const [name, dims] of Object.entries(outputs)) {
    const length = dims.reduce((product, dim) => product * dim, 1);
    file.output(file.op('Add', [file.floats(new Float32Array(length), dims), zero]), name, 'float32', dims);
  }
  return file.bytes();
}

const models = modelFolder({
  'blobs.onnx': blobDetector(),
  'blobs-single.onnx': blobDetector({ batch: 1 }),
  'blobs-half.onnx': blobDetector({ type: 'float16' }),
  'blobs-bytes.onnx': blobDetector({ type: 'uint8', batch: 2 }),
  'shades.onnx': shadeClassifier(),
  'odd.onnx': constantOutputs({ features: [1, 7] }),
  'two.onnx': constantOutputs({ a: [1, 6, 84], b: [1, 6, 84] }),
  'no-model.onnx': 'this is no model',
});
const executors: OnnxExecutor[] = [];
const start = (...args: Parameters<typeof describing>): OnnxExecutor => {
  const executor = executorFor(describing(...args), models.folder);
  executors.push(executor);
  return executor;
};
afterAll(async () => {
  await Promise.all(executors.map((executor) => executor.close()));
  models.dispose();
});

const BLOBS: readonly Blob[] = [
  { x: 400, y: 300, width: 60, height: 40 },
  { x: 1200, y: 800, width: 120, height: 70 },
  { x: 1500, y: 200, width: 80, height: 90 },
];

async function run(executor: OnnxExecutor, ...images: readonly Buffer[]): Promise<readonly BatchOutcome[]> {
  return await executor.run(
    images.map((bytes, index) => taskImage(String(index), bytes)),
    contextOf(),
  );
}

function boxesOf(
  outcome: BatchOutcome | undefined,
): { x: number; y: number; width: number; height: number }[] {
  if (!outcome?.ok) throw new Error(`no result: ${String(outcome?.error)}`);
  return outcome.result.detections.flatMap(({ bbox }) =>
    bbox
      ? [
          {
            x: (bbox.x1 + bbox.x2) / 2,
            y: (bbox.y1 + bbox.y2) / 2,
            width: bbox.x2 - bbox.x1,
            height: bbox.y2 - bbox.y1,
          },
        ]
      : [],
  );
}

/** Every blob has a box at its place and of about its size, and there are no others. */
function expectBlobs(outcome: BatchOutcome | undefined, blobs: readonly Blob[], within = 8): void {
  const boxes = boxesOf(outcome);
  expect(boxes).toHaveLength(blobs.length);
  for (const blob of blobs) {
    const box = boxes.find(({ x, y }) => Math.hypot(x - blob.x, y - blob.y) < within);
    expect(box, `at ${blob.x}, ${blob.y} of ${JSON.stringify(boxes)}`).toBeDefined();
    expect(box?.width).toBeGreaterThan(blob.width * 0.6);
    expect(box?.width).toBeLessThan(blob.width * 1.6);
    expect(box?.height).toBeGreaterThan(blob.height * 0.6);
    expect(box?.height).toBeLessThan(blob.height * 1.6);
  }
}

describe(
  'a detector and a classifier',
  () => {
    let executor: OnnxExecutor;
    let photograph: Buffer;
    const said = listeningLogger();
    beforeAll(async () => {
      executor = start(
        {},
        {
          classifiers: [
            { model: 'shades.onnx', labels: [...SHADES], normalise: 'unit', crop: { square: false } },
          ],
          runtime: { providers: ['cuda', 'cpu'], memoryBytes: 400 * 1024 * 1024 },
        },
      );
      await executor.warmUp(contextOf({ logger: said.logger }));
      photograph = await sheet(1920, 1080, BLOBS).jpeg({ quality: 95 }).toBuffer();
    }, PATIENCE);

    it('say at start on what they run, and why not on what was wished for', () => {
      const lines = said.lines.join('\n');
      expect(lines).toMatch(/the detector runs on cpu with \d+ threads, 640 × 640 pixels of float32/);
      expect(lines).toMatch(/the detector: cuda (?:cannot be used|is not in this build)/);
    });

    it('find what is on the sheet, in pixels of the stored image', async () => {
      const [outcome] = await run(executor, photograph);
      expectBlobs(outcome, BLOBS);
    });

    it('give every insect its scores, logits and label, in the order of the labels', async () => {
      const [outcome] = await run(executor, photograph);
      if (!outcome?.ok) throw new Error('no result');
      for (const { classifications = [] } of outcome.result.detections) {
        const [said_] = classifications;
        expect(said_).toMatchObject({
          algorithm: 'blobs-classifier',
          classification: 'Dark thing',
          terminal: true,
        });
        const [dark = 0, pale = 0] = Array.from(said_?.logits ?? []);
        expect(said_?.scores[0]).toBeCloseTo(1 / (1 + Math.exp(pale - dark)), 5);
        expect((said_?.scores[0] ?? 0) + (said_?.scores[1] ?? 0)).toBeCloseTo(1, 5);
      }
    });

    it('take grey, CMYK, 16-bit, transparent, animated and turned images for what they show', async () => {
      const image = sheet(1920, 1080, BLOBS);
      const outcomes = await run(
        executor,
        await image.clone().greyscale().jpeg().toBuffer(),
        await image.clone().toColourspace('cmyk').jpeg().toBuffer(),
        await image.clone().toColourspace('rgb16').png().toBuffer(),
        await image.clone().ensureAlpha(0.999).png({ progressive: true }).toBuffer(),
        await image.clone().gif().toBuffer(),
        // Orientation 6 shows it turned; boxes are of the stored image all the same.
        await image.clone().jpeg().withMetadata({ orientation: 6 }).toBuffer(),
      );
      for (const outcome of outcomes) expectBlobs(outcome, BLOBS, 12);
    });

    it('make an error of a damaged, cut, empty or foreign file, and go on', async () => {
      const damaged = Buffer.from(photograph);
      damaged.fill(0, 300, 900);
      const outcomes = await run(
        executor,
        photograph.subarray(0, photograph.length >> 1),
        Buffer.alloc(0),
        Buffer.from('<html>not found</html>'),
        damaged,
        photograph,
      );
      const errors = outcomes.slice(0, 3).map((outcome) => (outcome.ok ? undefined : outcome.error));
      for (const error of errors) expect(error).toBeInstanceOf(PermanentTaskError);
      expect(String(errors[0])).toMatch(/cannot be decoded/);
      expect(String(errors[1])).toMatch(/the image is empty/);
      expect(String(errors[2])).toMatch(/cannot be decoded/);
      expectBlobs(outcomes[4], BLOBS);
    });

    it('refuse an image that needs more than the memory, in words, and take a single pixel', async () => {
      const huge = await sheet(20_000, 9_000, []).jpeg().toBuffer();
      const pixel = await sheet(1, 1, []).png().toBuffer();
      const [tooLarge, tiny] = await run(executor, huge, pixel);
      expect(tooLarge?.ok ? 'a result' : String(tooLarge?.error)).toMatch(
        /20000 × 9000 pixels needs \d+ bytes of memory, and there are \d+: raise runtime\.memoryBytes/,
      );
      expect(tiny?.ok).toBe(true);
    });

    it('give up an image whose call is aborted, and go on with the next', async () => {
      const controller = new AbortController();
      const images = [taskImage('a', photograph), taskImage('b', photograph)];
      const call = executor.run(images, contextOf({ signal: controller.signal }));
      controller.abort();
      for (const outcome of await call)
        expect(outcome.ok ? 'a result' : String(outcome.error)).toMatch(/HandlerAbortError.*shutting down/);
      const [next] = await run(executor, photograph);
      expect(next?.ok).toBe(true);
    });
  },
  PATIENCE,
);

describe(
  'a detector without classifiers',
  () => {
    it('takes an image of 20,000 pixels, decoded no larger than it looks at', async () => {
      const executor = start({}, { runtime: { providers: ['cpu'], memoryBytes: 64 * 1024 * 1024 } });
      const blobs = [{ x: 5_000, y: 4_000, width: 900, height: 600 }];
      const [outcome] = await run(executor, await sheet(20_000, 9_000, blobs).jpeg().toBuffer());
      expectBlobs(outcome, blobs, 80);
    });

    it.each([
      ['one image a call', 'blobs-single.onnx'],
      ['halves', 'blobs-half.onnx'],
      ['bytes, two images a call', 'blobs-bytes.onnx'],
    ])('finds the same with a model of %s', async (_, model) => {
      const executor = start({ model });
      const photograph = await sheet(1920, 1080, BLOBS).jpeg({ quality: 95 }).toBuffer();
      for (const outcome of await run(executor, photograph, photograph, photograph))
        expectBlobs(outcome, BLOBS, 10);
    });

    it('finds in tiles what is large and what is tiny, each once, also where an edge cuts it', async () => {
      const small = Array.from({ length: 40 }, (_, index) => ({
        x: 60 + (index % 8) * 235,
        y: 70 + Math.floor(index / 8) * 230,
        width: 14,
        height: 12,
      })).filter(({ x, y }) => BLOBS.every((blob) => Math.hypot(blob.x - x, blob.y - y) > 150));
      const photograph = await sheet(1920, 1080, [...BLOBS, ...small])
        .png()
        .toBuffer();
      const [tiled] = await run(start({ tiles: { wholeImage: false } }), photograph);
      expectBlobs(tiled, [...BLOBS, ...small], 10);
    });
  },
  PATIENCE,
);

describe(
  'a model that does not fit its description',
  () => {
    it.each([
      [
        /detector: no known layout fits\. Its outputs are "features" float32 \[1, 7\]\. Expected is/,
        { model: 'odd.onnx' },
      ],
      [
        /detector: .*"output0" float32 \[1, 5, 8400\], which reads as yolov8 with 1 class, and there are 2 labels/,
        { labels: ['a', 'b'] },
      ],
      [/detector: .*set outputName to the one to read/, { model: 'two.onnx', labels: ['a', 'b'] }],
      [/detector\.model: .*no-model\.onnx: .*/, { model: 'no-model.onnx' }],
      [/detector\.model: inputSize is 320 × 320, and the model's is fixed to 640 × 640/, { inputSize: 320 }],
      [
        /detector\.normalise: the model takes bytes/,
        { model: 'blobs-bytes.onnx', normalise: 'imagenet' as const },
      ],
    ])('is refused at start: %s', async (words, detector) => {
      await expect(start(detector).warmUp(contextOf())).rejects.toThrow(words);
    });

    it('is refused at start when a classifier has other outputs than labels', async () => {
      const classifiers = [{ model: 'shades.onnx', labels: ['a', 'b', 'c'] }];
      await expect(start({}, { classifiers }).warmUp(contextOf())).rejects.toThrow(
        /classifiers\.0: its outputs are "logits" float32 \[1, 2\]; expected is one of \[batch, 3\] for its 3 labels/,
      );
    });
  },
  PATIENCE,
);
