import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, extname, join, resolve, sep } from 'node:path';
import { UsageError } from './exit-codes.js';

/** Endings of what is taken from a folder; a file that is named by itself is taken whatever it is called. */
const ENDINGS = new Set(['.jpg', '.jpeg', '.png', '.webp', '.tif', '.tiff', '.gif', '.bmp']);

/** The name of a file below a folder as everybody else writes it: in results and addresses. */
export function withSlashes(name: string, separator: string = sep): string {
  return name.split(separator).join('/');
}

/** An image on this machine. */
export interface LocalImage {
  /** As it is called in results: below the folder that was given, or as it was typed. */
  readonly name: string;
  readonly path: string;
}

/** Images of files and folders, in order of name, subfolders included. @throws UsageError when there is none. */
export function localImages(given: readonly string[], cwd: string): readonly LocalImage[] {
  const images = given.flatMap((place) => {
    const path = resolve(cwd, place);
    if (!existsSync(path)) throw new UsageError(`${place}: there is no such file or folder`);
    if (!statSync(path).isDirectory()) return [{ name: place, path }];
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => ENDINGS.has(extname(name).toLowerCase()) && !basename(name).startsWith('.'))
      .sort()
      .map((name) => ({ name: withSlashes(name), path: join(path, name) }));
  });
  if (images.length > 0) return images;
  throw new UsageError(`There is no image (${[...ENDINGS].join(', ')}) in ${given.join(', ')}`);
}
