import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BatchOutcome, HandlerDetection, TaskImage } from 'antenna-sdk';
import { blobDetector, shadeClassifier } from '../../examples/onnx/blob-model.js';
import { OnnxFile } from '../../examples/onnx/onnx-file.js';
import type { OnnxExecutor } from '../../src/onnx/executor.js';
import { contextOf } from '../worker/executors/support.js';
import { describing, executorFor, modelFolder, sheet, taskImage, type Blob } from './support.js';

const PATIENCE = 120_000;
const COLOURS = ['red', 'green', 'blue'] as const;

/** Tells what colour a crop has most of. */
function colourClassifier(): Uint8Array {
  const file = new OnnxFile();
  const pixels = file.input('crops', 'float32', ['batch', 3, 16, 16]);
  const mean = file.op('Flatten', [file.op('GlobalAveragePool', [pixels])]);
  file.output(file.op('Mul', [mean, file.scalar(20)]), 'logits', 'float32', ['batch', 3]);
  return file.bytes();
}

const models = modelFolder({
  'blobs.onnx': blobDetector(),
  'shades.onnx': shadeClassifier(),
  'colours.onnx': colourClassifier(),
});
const executors: OnnxExecutor[] = [];
afterAll(async () => {
  await Promise.all(executors.map((executor) => executor.close()));
  models.dispose();
});

type Classifiers = NonNullable<ReturnType<typeof describing>['classifiers']>;

/** A step that tells moths (dark) from others (pale), and one that names the moths by their colour. */
function chain(binary: Partial<Classifiers[number]> = {}): OnnxExecutor {
  const shared = { normalise: 'unit' as const, crop: { square: false } };
  const executor = executorFor(
    describing(
      {},
      {
        classifiers: [
          { model: 'shades.onnx', key: 'moth-or-not', labels: ['moth', 'other'], ...shared, ...binary },
          {
            model: 'colours.onnx',
            key: 'species',
            labels: [...COLOURS],
            after: { algorithm: 'moth-or-not', labels: ['moth'] },
            ...shared,
          },
        ],
      },
    ),
    models.folder,
  );
  executors.push(executor);
  return executor;
}

interface Named extends Blob {
  readonly is: readonly string[];
}
const RED: Named = { x: 200, y: 150, width: 60, height: 50, fill: '#400', is: ['moth', 'red'] };
const PALE: Named = { x: 450, y: 150, width: 90, height: 70, fill: '#99a', is: ['other'] };
const BLUE: Named = { x: 200, y: 350, width: 80, height: 60, fill: '#004', is: ['moth', 'blue'] };
const GREEN: Named = { x: 450, y: 350, width: 70, height: 80, fill: '#030', is: ['moth', 'green'] };
const BLOBS = [RED, PALE, BLUE, GREEN];
let photograph: Buffer;
beforeAll(async () => {
  photograph = await sheet(640, 480, BLOBS).png().toBuffer();
});

async function detectionsOf(
  executor: OnnxExecutor,
  detections: TaskImage['detections'] = [],
): Promise<readonly HandlerDetection[]> {
  const image = { ...taskImage('a', photograph), detections };
  const [outcome] = (await executor.run([image], contextOf())) as readonly [BatchOutcome];
  if (!outcome.ok) throw outcome.error as Error;
  return outcome.result.detections;
}

const blobAt = ({ bbox }: HandlerDetection): Named | undefined =>
  BLOBS.find(({ x, y }) => bbox && Math.hypot((bbox.x1 + bbox.x2) / 2 - x, (bbox.y1 + bbox.y2) / 2 - y) < 10);
const namesOf = ({ classifications = [] }: HandlerDetection): unknown =>
  classifications.map(({ algorithm, classification, terminal }) => [algorithm, classification, terminal]);
const boxOf = ({ x, y, width, height }: Blob): TaskImage['detections'][number]['bbox'] => ({
  x1: x - width / 2,
  y1: y - height / 2,
  x2: x + width / 2,
  y2: y + height / 2,
});

describe(
  'a chain of classifiers',
  () => {
    let executor: OnnxExecutor;
    beforeAll(() => {
      executor = chain();
    });

    it('shows the later step what the earlier one lets through, and marks the earlier word as not the last there', async () => {
      const detections = await detectionsOf(executor);
      expect(new Set(detections.map(blobAt))).toEqual(new Set(BLOBS));
      expect(detections).toHaveLength(BLOBS.length);
      for (const detection of detections) {
        const [step, species] = blobAt(detection)?.is ?? [];
        expect(namesOf(detection)).toEqual(
          species === undefined
            ? [['moth-or-not', step, true]]
            : [
                ['moth-or-not', step, false],
                ['species', species, true],
              ],
        );
      }
    });

    it('gives each step as many scores as it has labels', async () => {
      for (const { classifications = [] } of await detectionsOf(executor))
        for (const { algorithm, scores } of classifications)
          expect(scores).toHaveLength(algorithm === 'species' ? 3 : 2);
    });

    it('keeps to `terminal` where the description says it', async () => {
      const detections = await detectionsOf(chain({ terminal: false }));
      expect(detections.flatMap(({ classifications = [] }) => classifications[0]?.terminal)).toEqual([
        false,
        false,
        false,
        false,
      ]);
    });

    it('names the boxes that a task brings along, in their order and with their numbers, and looks for no others', async () => {
      const exact = { ...boxOf(BLUE), x1: boxOf(BLUE).x1 + 1 / 3 };
      const over = { x1: -40, y1: -30, x2: 70.5, y2: 60.25 };
      const detections = await detectionsOf(
        executor,
        [exact, over, boxOf(PALE), boxOf(RED)].map((bbox) => ({
          bbox: { ...bbox, source: 'a field that this package does not know' },
          algorithm: { key: 'somebody-elses-detector' },
        })),
      );
      expect(detections.map(({ bbox }) => bbox)).toEqual([exact, over, boxOf(PALE), boxOf(RED)]);
      expect(detections.map(namesOf)).toEqual([
        [
          ['moth-or-not', 'moth', false],
          ['species', 'blue', true],
        ],
        [['moth-or-not', 'other', true]],
        [['moth-or-not', 'other', true]],
        [
          ['moth-or-not', 'moth', false],
          ['species', 'red', true],
        ],
      ]);
    });

    it('leaves out boxes of a task that show nothing of the image, or are none', async () => {
      const outside = { x1: 700, y1: 10, x2: 800, y2: 50 };
      const turned = { x1: 50, y1: 10, x2: 20, y2: 50 };
      const known = [outside, boxOf(RED), turned].map((bbox) => ({ bbox }));
      expect((await detectionsOf(executor, known)).map(({ bbox }) => bbox)).toEqual([boxOf(RED)]);
    });
  },
  PATIENCE,
);

describe(
  'a detector without classifiers',
  () => {
    it('looks for insects as ever, though the task brings boxes along', async () => {
      const executor = executorFor(describing(), models.folder);
      executors.push(executor);
      const detections = await detectionsOf(executor, [{ bbox: { x1: 1, y1: 1, x2: 9, y2: 9 } }]);
      expect(new Set(detections.map(blobAt))).toEqual(new Set(BLOBS));
    });
  },
  PATIENCE,
);
