import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { figure, measure, type Bench } from './harness.js';
import { withQueue } from './queue.js';

const TASKS = 1_000;
/** Noise that is blurred until a photograph of a common size takes some 100 kB. */
const MAKE = `
import sys
from PIL import Image, ImageFilter
import numpy
noise = numpy.random.default_rng(1).integers(0, 256, (768, 1024, 3), numpy.uint8)
image = Image.fromarray(noise).filter(ImageFilter.GaussianBlur(1.75))
image.save(sys.argv[1], quality=75)
`;

/** What the Python worker's data path was measured with: a thousand JPEGs of 100 kB, downloaded, decoded and answered. */
export const dataPath: Bench = {
  name: 'data-path',
  title: `${TASKS} JPEGs of 100 kB through a worker to arrays in Python`,
  async run() {
    const folder = mkdtempSync(join(tmpdir(), 'antenna-bench-'));
    try {
      const imageFile = join(folder, 'image.jpg');
      if (spawnSync('python3', ['-c', MAKE, imageFile]).status !== 0) {
        console.log('  skipped: python3 with numpy and Pillow is not there');
        return [];
      }
      return await withQueue({ tasks: TASKS, imageFile }, ({ url }) => {
        const figures = measure('data-path.mjs', JSON.stringify({ url, tasks: TASKS })) as {
          readonly perSecond: number;
          readonly cpuS: number;
          readonly memoryMb: number;
        };
        return [
          figure('images a second', figures.perSecond, ''),
          figure('CPU of worker and handler', figures.cpuS, 's'),
          figure('memory of both at most', figures.memoryMb, 'MB'),
        ];
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};
