import type { TaskImage } from '../worker/handler/handler.js';

/** Keys of a configuration that are meant for the server (PUSH_API §3). */
const SERVER_KEYS = /^request_/;

/** A configuration as a service gets it. */
function serviceConfig(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).filter(([key]) => !SERVER_KEYS.test(key)));
}

/** How a request is made. */
export interface BodyOptions {
  readonly config: Readonly<Record<string, unknown>>;
  readonly urlOf: (image: TaskImage) => string;
  /** Named for a box of which nobody says what found it. */
  readonly detector: { readonly name: string; readonly key: string };
}

/** The one body that all services accept: `config` is never null, `detections` is null unless there are some. */
export function processBody(slug: string, images: readonly TaskImage[], options: BodyOptions): string {
  const boxes = images.flatMap((image) => boxesOf(image, options));
  return JSON.stringify({
    pipeline: slug,
    source_images: images.map((image) => sourceOf(image, options)),
    config: serviceConfig(options.config),
    detections: boxes.length > 0 ? boxes : null,
  });
}

/**
 * Boxes to classify again. Without the URL of a crop: services open it as a web address or as a file of their own, and cut the box out of the
 * image, which they have, when they cannot.
 */
function boxesOf(image: TaskImage, options: BodyOptions): object[] {
  return image.detections.map(({ bbox: { x1, y1, x2, y2 }, algorithm }) => ({
    source_image: sourceOf(image, options),
    bbox: { x1, y1, x2, y2 },
    crop_image_url: null,
    algorithm: algorithm ? { name: algorithm.name ?? algorithm.key, key: algorithm.key } : options.detector,
  }));
}

function sourceOf(image: TaskImage, { urlOf }: BodyOptions): { readonly id: string; readonly url: string } {
  return { id: image.id, url: urlOf(image) };
}
