import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { generateTrapImage } from './trap-images.js';
import type { ImageSet } from './image-host.js';

const EXTENSIONS = new Set(['.jpg', '.jpeg', '.png', '.webp', '.tif', '.tiff']);

/** Photographs of a folder, by name. */
export async function readFolder(folder: string): Promise<ImageSet> {
  const names = (await readdir(folder)).filter((name) => EXTENSIONS.has(extname(name).toLowerCase())).sort();
  if (names.length === 0) throw new Error(`No images (${[...EXTENSIONS].join(', ')}) in ${folder}`);
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)),
  );
}

/** Generated trap images; the same ones each time. */
export async function generateImages(count: number): Promise<ImageSet> {
  const images = new Map<string, Buffer>();
  for (let seed = 1; seed <= count; seed++) {
    const { jpeg } = await generateTrapImage({ seed });
    images.set(`trap-${String(seed).padStart(3, '0')}.jpg`, jpeg);
  }
  return images;
}
