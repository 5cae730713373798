import type { HttpHandler } from 'msw';
import { createHandlers } from '../transport/msw.js';
import { ImageHostCore, type ImageHostOptions } from './image-host-core.js';

export type { ImageHostOptions, ImageRequest } from './image-host-core.js';

/** Serves images to the code under test, and can misbehave. Make one with {@link createImageHost}. */
export class ImageHost extends ImageHostCore {
  /** Handlers for MSW, for everything under the host's origin. */
  readonly handlers: readonly HttpHandler[];

  constructor(options: ImageHostOptions = {}) {
    super(options);
    this.handlers = createHandlers((request) => this.exchange(request), this.origin);
  }
}

/** Makes an image host for tests. */
export function createImageHost(options: ImageHostOptions = {}): ImageHost {
  return new ImageHost(options);
}
