import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkerPipeline } from 'antenna-sdk';
import { onnxPipeline, type OnnxDescription } from 'antenna-sdk/onnx';
import { blobDetector, shadeClassifier, SHADES } from './blob-model.js';

/** What `antenna.json` holds beside the models. */
export const DESCRIPTION: OnnxDescription = {
  name: 'Dark blobs on a light sheet (ONNX)',
  slug: 'onnx-blobs',
  version: 1,
  detector: {
    model: 'blobs.onnx',
    labels: ['blob'],
    // As light as a sheet: grey around an image would be darker than the sheet, and so a blob.
    padding: 220,
    confidence: 0.4,
    iou: 0.3,
    tiles: { scales: [0.5, 0.3], overlap: 0.25, wholeImage: false },
  },
  classifiers: [{ model: 'shades.onnx', labels: [...SHADES], normalise: 'unit', crop: { square: false } }],
};

/** Writes a folder of models, as a user has one, and makes a pipeline of it. */
export async function blobPipeline(folder: string): Promise<WorkerPipeline> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'blobs.onnx'), blobDetector());
  await writeFile(join(folder, 'shades.onnx'), shadeClassifier());
  await writeFile(join(folder, 'antenna.json'), JSON.stringify(DESCRIPTION, null, 2));
  return onnxPipeline.fromFolder(folder, {
    execArgv: ['--import', new URL('./register-tsx.mjs', import.meta.url).href],
  });
}
