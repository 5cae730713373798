import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { detectInsects, type Blob } from '../../../examples/insect-detector/detect.js';
import { contains, longSideOf } from './boxes.js';
import { NOT_INSECTS, PHOTOGRAPHS, type Reference } from './photograph-references.js';
import { orSkipped } from '../../support/or-skipped.js';

const folder = fileURLToPath(new URL('../../../../shared/images/', import.meta.url));

/** An insect counts as found if a box holds its middle and is neither a speck on it nor a region around it. */
function foundIn(references: readonly Reference[], blobs: readonly Blob[]): Reference[] {
  const used = new Set<Blob>();
  // Each box may explain one insect only, or one box around everything would find them all.
  return references.filter(({ x, y, length }) => {
    const match = blobs.find(
      (blob) =>
        !used.has(blob) &&
        contains(blob.bbox, x, y) &&
        longSideOf(blob.bbox) > 0.5 * length &&
        longSideOf(blob.bbox) < 2.5 * length,
    );
    if (match) used.add(match);
    return match !== undefined;
  });
}

describe.skipIf(!existsSync(folder))(
  orSkipped('detectInsects on photographs', existsSync(folder), '../shared/images is not there'),
  () => {
    it.each(PHOTOGRAPHS)(
      'finds at least $minFound of the insects marked by hand in $file, with at most $maxBoxes boxes',
      async ({ file, insects, minFound, maxBoxes }) => {
        const { blobs, width, height } = await detectInsects(readFileSync(`${folder}${file}`));
        expect(foundIn(insects, blobs).length).toBeGreaterThanOrEqual(minFound);
        expect(blobs.length).toBeLessThanOrEqual(maxBoxes);
        for (const { bbox } of blobs) {
          expect(bbox.x1).toBeGreaterThanOrEqual(0);
          expect(bbox.y1).toBeGreaterThanOrEqual(0);
          expect(bbox.x2).toBeLessThanOrEqual(width);
          expect(bbox.y2).toBeLessThanOrEqual(height);
        }
      },
    );

    it.each(NOT_INSECTS)('puts no box on the $what in $file', async ({ file, points }) => {
      const { blobs } = await detectInsects(readFileSync(`${folder}${file}`));
      for (const [x, y] of points) {
        expect(blobs.filter(({ bbox }) => contains(bbox, x, y))).toEqual([]);
      }
    });
  },
);
