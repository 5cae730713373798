import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SpoolFacts } from './ledger.js';

/** Looks into spool directories. @param isCounted - whether an image has an outcome. */
export function lookIntoSpools(
  directories: readonly string[],
  isCounted: (imageId: string) => boolean,
): SpoolFacts {
  const filesOf = (folder: string): string[] =>
    directories
      .map((directory) => join(directory, folder))
      .filter((path) => existsSync(path))
      .flatMap((path) =>
        readdirSync(path)
          .filter((name) => name.endsWith('.results'))
          .map((name) => join(path, name)),
      );
  const dead = filesOf('dead');
  return {
    waiting: filesOf('').length,
    bad: filesOf('bad').length,
    dead: dead.length,
    deadAndUncounted: dead.flatMap(imagesIn).filter((id) => !isCounted(id)),
  };
}

/** Out of the first line, which describes the results. */
function imagesIn(file: string): string[] {
  const [header = '{}'] = readFileSync(file, 'utf8').split('\n', 1);
  const { results = [] } = JSON.parse(header) as { results?: { imageId: string }[] };
  return results.map(({ imageId }) => imageId);
}
