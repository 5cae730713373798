import type { Project, StarterFile } from './project.js';

/** A worker in TypeScript. */
export function typescriptFiles({ slug }: Project): readonly StarterFile[] {
  return [
    { path: 'worker.ts', content: WORKER.replaceAll('{{slug}}', slug) },
    {
      path: 'tsconfig.json',
      content: `{
  "compilerOptions": {
    "target": "es2022",
    "module": "nodenext",
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "noEmit": true,
    "skipLibCheck": true,
    "types": ["node"]
  },
  "include": ["*.ts"]
}
`,
    },
  ];
}

const WORKER = `import { definePipeline } from 'antenna-sdk';
import sharp from 'sharp';

interface Box {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

/** Long side of what is looked at, in pixels. */
const WORKING_SIZE = 1024;
/** Darker than this part of the mean is an insect on a pale sheet. */
const DARK = 0.6;
/** Smallest insect, in pixels of what is looked at. */
const MIN_PIXELS = 20;

/** Put your model here. This one finds dark spots on a pale sheet. Boxes are in pixels of the image as it is stored. */
async function findSpots(bytes: Buffer): Promise<Box[]> {
  const { width = 1 } = await sharp(bytes).metadata();
  const { data, info } = await sharp(bytes)
    .resize({ width: WORKING_SIZE, height: WORKING_SIZE, fit: 'inside', withoutEnlargement: true })
    .greyscale()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const limit = (DARK * data.reduce((sum, value) => sum + value, 0)) / data.length;
  const seen = new Uint8Array(data.length);
  const boxes: Box[] = [];
  for (let start = 0; start < data.length; start++) {
    const spot = spotAt(start, info.width, (at) => {
      if (seen[at] === 1 || (data[at] ?? 255) > limit) return false;
      seen[at] = 1;
      return true;
    });
    if (spot.pixels < MIN_PIXELS) continue;
    const scale = width / info.width;
    const { x1, y1, x2, y2 } = spot;
    boxes.push({ x1: x1 * scale, y1: y1 * scale, x2: x2 * scale, y2: y2 * scale });
  }
  return boxes;
}

/** The box around a pixel and all that touch it, as far as \`take\` takes them. */
function spotAt(start: number, width: number, take: (at: number) => boolean): Box & { pixels: number } {
  const spot = { x1: Infinity, y1: Infinity, x2: 0, y2: 0, pixels: 0 };
  const waiting = take(start) ? [start] : [];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const x = at % width;
    const y = Math.floor(at / width);
    spot.x1 = Math.min(spot.x1, x);
    spot.y1 = Math.min(spot.y1, y);
    spot.x2 = Math.max(spot.x2, x + 1);
    spot.y2 = Math.max(spot.y2, y + 1);
    spot.pixels++;
    if (x > 0 && take(at - 1)) waiting.push(at - 1);
    if (x + 1 < width && take(at + 1)) waiting.push(at + 1);
    if (take(at - width)) waiting.push(at - width);
    if (take(at + width)) waiting.push(at + width);
  }
  return spot;
}

export const worker = definePipeline({
  name: '{{slug}}',
  slug: '{{slug}}',
  version: 1,
  algorithms: [
    { key: '{{slug}}-boxes', name: '{{slug}} boxes', task_type: 'detection' },
    {
      key: '{{slug}}-names',
      name: '{{slug}} names',
      task_type: 'classification',
      category_map: { data: [{ label: 'insect' }, { label: 'something else' }] },
    },
  ],
  // A model that computes for long should not do it in this thread: see ThreadExecutor and ProcessExecutor of antenna-sdk.
  async process(image) {
    const boxes = await findSpots(image.bytes);
    // One score for each label. An empty list of detections says: looked, and found nothing.
    return { detections: boxes.map((bbox) => ({ bbox, classifications: [{ scores: [0.9, 0.1] }] })) };
  },
});
`;
