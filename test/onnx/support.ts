import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { TaskImage } from 'antenna-sdk';
import type { OnnxDescription } from 'antenna-sdk/onnx';
import { OnnxExecutor } from '../../src/onnx/executor.js';
import { resolveDescription } from '../../src/onnx/resolve.js';
import { FROM_SOURCES, imagesOf } from '../worker/executors/support.js';

/** A folder with models, which goes away with `dispose`. */
export function modelFolder(files: Readonly<Record<string, Uint8Array | string>>): {
  readonly folder: string;
  readonly dispose: () => void;
} {
  const folder = mkdtempSync(join(tmpdir(), 'antenna-sdk-onnx-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return {
    folder,
    dispose: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A description of one detector, for tests that change a field or two. */
export function describing(
  detector: Partial<OnnxDescription['detector']> = {},
  changes: Partial<OnnxDescription> = {},
): OnnxDescription {
  return {
    name: 'Blobs',
    slug: 'blobs',
    version: 1,
    detector: { model: 'blobs.onnx', labels: ['blob'], padding: 220, ...detector },
    runtime: { providers: ['cpu'] },
    ...changes,
  };
}

export function executorFor(description: OnnxDescription, folder: string): OnnxExecutor {
  return new OnnxExecutor({
    description: resolveDescription(description, folder),
    execArgv: FROM_SOURCES,
  });
}

/** A dark ellipse on a sheet, in pixels; x and y are its middle. */
export interface Blob {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Default `#222`. */
  readonly fill?: string | undefined;
}

/** A light sheet with dark ellipses, as sharp's pipeline: the caller says in which format. */
export function sheet(width: number, height: number, blobs: readonly Blob[]): ReturnType<typeof sharp> {
  const shapes = blobs.map(
    (blob) =>
      `<ellipse cx="${blob.x}" cy="${blob.y}" rx="${blob.width / 2}" ry="${blob.height / 2}" fill="${blob.fill ?? '#222'}"/>`,
  );
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#ddd"/>${shapes.join('')}</svg>`;
  return sharp(Buffer.from(svg)).flatten();
}

export function taskImage(id: string, bytes: Buffer): TaskImage {
  const [image] = imagesOf('');
  if (!image) throw new Error('no image');
  return { ...image, id, bytes };
}
