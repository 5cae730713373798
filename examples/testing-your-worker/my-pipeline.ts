import { definePipeline } from 'antenna-sdk';
import sharp from 'sharp';

/** Darker than this, from 0 to 255, is an insect on a white sheet. */
const DARK = 128;

interface Box {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

/** The smallest box around all dark pixels: a model small enough for a test, and true to the pixels. */
async function findDarkBox(bytes: Buffer): Promise<Box | undefined> {
  const { data, info } = await sharp(bytes).greyscale().raw().toBuffer({ resolveWithObject: true });
  let box: Box | undefined;
  data.forEach((value, index) => {
    if (value >= DARK) return;
    const x = index % info.width;
    const y = Math.floor(index / info.width);
    box ??= { x1: x, y1: y, x2: x + 1, y2: y + 1 };
    box = { x1: Math.min(box.x1, x), y1: box.y1, x2: Math.max(box.x2, x + 1), y2: y + 1 };
  });
  return box;
}

/** The pipeline under test: yours goes here. */
export const darkSpots = definePipeline({
  name: 'Dark spots',
  slug: 'dark-spots',
  version: 1,
  algorithms: [
    { key: 'dark-spot-box', name: 'Dark spot box', task_type: 'detection' },
    {
      key: 'dark-spot-kind',
      name: 'Dark spot kind',
      task_type: 'classification',
      category_map: { labels: ['insect', 'dirt'], data: [{ label: 'insect' }, { label: 'dirt' }] },
    },
  ],
  async process(image) {
    const bbox = await findDarkBox(image.bytes);
    return { detections: bbox ? [{ bbox, classifications: [{ scores: [0.9, 0.1] }] }] : [] };
  },
});
