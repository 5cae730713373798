/**
 * The whole path, offline: an in-memory Antenna, an image host, a worker with a real detector, and a page of pictures.
 *
 *   npm run demo                              24 generated trap images
 *   npm run demo -- --images path/to/photos   your own photographs
 *   npm run demo -- --onnx                    with models in ONNX files, made by examples/onnx without training
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { AntennaClient, AntennaWorker, type WorkerEvents, type WorkerPipeline } from 'antenna-sdk';
import { SingleBar } from 'cli-progress';
import sharp from 'sharp';
import type { Detection } from '../../src/cli/report/detection.js';
import { drawBoxes } from '../../src/cli/report/draw.js';
import { renderReport, type ReportRow } from '../../src/cli/report/report.js';
import { blobPipeline } from '../onnx/blob-pipeline.js';
import { LABELS } from './classify.js';
import { generateImages, readFolder } from './demo-images.js';
import { startDemoServer, type DemoServer } from './demo-server.js';
import type { ImageSet } from './image-host.js';
import { insectPipeline, THREADS } from './pipeline.js';
import { formatTable } from './table.js';

const { values } = parseArgs({
  options: {
    images: { type: 'string' },
    onnx: { type: 'boolean', default: false },
    count: { type: 'string', default: '24' },
    out: { type: 'string', default: 'demo-output' },
  },
});

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Runs the worker until the job is done. @returns what was reported of each image. */
async function work(
  demo: DemoServer,
  pipeline: WorkerPipeline,
  total: number,
): Promise<Map<string, WorkerEvents['task']>> {
  const client = new AntennaClient({ baseUrl: demo.url, apiKey: demo.apiKey });
  const worker = new AntennaWorker({
    client,
    projects: [demo.projectId],
    pipelines: [pipeline],
    concurrency: THREADS,
    pollIntervalMs: 250,
  });
  const tasks = new Map<string, WorkerEvents['task']>();
  const bar = new SingleBar({ format: '{bar} {value}/{total} images  {found} detections', hideCursor: true });
  let found = 0;
  bar.start(total, 0, { found });
  worker.on('task', (event) => {
    tasks.set(event.imageId, event);
    found += event.detections;
    bar.update(tasks.size, { found });
  });
  const report = await worker.run({ until: 'drained' });
  bar.stop();
  await client.close();
  say(
    `Worker: ${report.succeeded} succeeded, ${report.failed} failed, ${report.posted} posted, ${report.abandoned} abandoned. ` +
      `Job: ${demo.job.status}`,
  );
  return tasks;
}

/** What the server stored for an image, as it is drawn and reported. */
function storedDetections(demo: DemoServer, imageId: string): Detection[] {
  return demo.job.detections(imageId).flatMap(({ bbox, classifications }) => {
    const [best] = classifications;
    return bbox === null ? [] : [{ bbox, label: best?.taxon ?? 'unnamed', score: best?.score ?? 0 }];
  });
}

/** Draws one image with its boxes; an image that cannot be read has an error instead of a picture. */
async function reportImage(
  demo: DemoServer,
  folder: string,
  images: ImageSet,
  task: WorkerEvents['task'],
): Promise<ReportRow> {
  const name = demo.imageName(task.imageId);
  const row = { name, durationMs: task.durationMs };
  const image = images.get(name);
  if (task.outcome !== 'success' || image === undefined) {
    return { ...row, detections: [], error: task.error ?? 'no result' };
  }
  const detections = storedDetections(demo, task.imageId);
  const picture = `${name.replace(/\.[^.]+$/, '')}.boxes.jpg`;
  await writeFile(join(folder, picture), await drawBoxes(image, detections, { labels: LABELS }));
  const { width, height } = await sharp(image).metadata();
  return { ...row, width, height, picture: encodeURIComponent(picture), detections };
}

const startedAt = performance.now();
const images =
  values.images === undefined ? await generateImages(Number(values.count)) : await readFolder(values.images);
say(`${images.size} images ${values.images === undefined ? 'generated' : `from ${values.images}`}`);
const pipeline = values.onnx ? await blobPipeline(join(values.out, 'models')) : insectPipeline;
const demo = await startDemoServer(images, pipeline);
say(`Contract server at ${demo.url}, job ${demo.job.id} with ${images.size} tasks`);
const tasks = await work(demo, pipeline, images.size);

await mkdir(values.out, { recursive: true });
const rows: ReportRow[] = [];
for (const [, task] of [...tasks].sort(([a], [b]) => Number(a) - Number(b))) {
  rows.push(await reportImage(demo, values.out, images, task));
}
const page = join(values.out, 'index.html');
await writeFile(
  page,
  renderReport(rows, { subtitle: `Job ${demo.job.id}, pipeline ${pipeline.slug}`, labels: LABELS }),
);
await demo.close();

say(formatTable(rows));
say(`Pictures and page: ${relative('.', page)} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
if (demo.job.status !== 'SUCCESS' || rows.length !== images.size) process.exitCode = 1;
