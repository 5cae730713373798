import { relative, resolve } from 'node:path';
import { EXIT } from '../exit-codes.js';
import type { Run } from '../frame.js';
import { loadPipelines } from '../load-pipelines.js';
import { localImages } from '../local-images.js';
import { Pictures } from '../predict/pictures.js';
import { predict } from '../predict/predict.js';
import { jsonLogger } from '../run/logging.js';

/** `antenna predict`. */
export const run: Run = async (frame) => {
  const { out, options, settings, cwd } = frame;
  const images = localImages(frame.args, cwd);
  const logger = jsonLogger(settings.logLevel ?? 'error', undefined);
  const folder = typeof options['out'] === 'string' ? resolve(cwd, options['out']) : undefined;
  const { pipelines, close } = await loadPipelines(frame, { logger });
  const totals = { images: 0, detections: 0, failed: 0 };
  try {
    const labels = pipelines.flatMap(({ config }) =>
      config.algorithms.flatMap(({ category_map: map }) => map?.data.map(({ label }) => label) ?? []),
    );
    const pictures =
      folder === undefined ? undefined : await Pictures.open(folder, labels, pipelines.length > 1);
    await predict({
      ...{ images, pipelines, logger, concurrency: settings.concurrency },
      onPrediction: (prediction, image) => {
        totals.images += 1;
        totals.detections += prediction.detections.length;
        if (!prediction.ok) totals.failed += 1;
        out.raw(JSON.stringify(prediction));
        pictures?.add(prediction, image);
      },
    });
    const page = await pictures?.close(`Pipeline ${pipelines.map(({ slug }) => slug).join(', ')}`);
    out.note(
      `${totals.images} ${totals.images === 1 ? 'image' : 'images'}: ${totals.detections} detections, ${totals.failed} failed` +
        (page === undefined ? '' : `; page and pictures: ${relative(cwd, page)}`),
    );
  } finally {
    await close();
  }
  return totals.failed === 0 ? EXIT.ok : EXIT.failed;
};
