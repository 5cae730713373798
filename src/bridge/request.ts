import type { TaskImage } from '../worker/pipeline.js';

/** Keys of a configuration that are meant for the server (PUSH_API §3). */
const SERVER_KEYS = /^request_/;

/** A configuration as a service gets it. */
export function serviceConfig(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).filter(([key]) => !SERVER_KEYS.test(key)));
}

/** Boxes that a task brings along, to be classified again. */
export function boxesOf(_image: TaskImage): readonly unknown[] {
  return [];
}

/** The one body that all services accept: `config` is never null, `detections` is null unless there are some. */
export function processBody(
  slug: string,
  images: readonly TaskImage[],
  options: {
    readonly config: Readonly<Record<string, unknown>>;
    readonly urlOf: (image: TaskImage) => string;
  },
): string {
  return JSON.stringify({
    pipeline: slug,
    source_images: images.map((image) => ({ id: image.id, url: options.urlOf(image) })),
    config: serviceConfig(options.config),
    detections: null,
  });
}
