import { extname, basename, join } from 'node:path';
import { assertKind } from '../check.js';
import { readFileSync, readdirSync } from 'node:fs';
import { BoundedLog } from '../bounded-log.js';
import { FaultChain } from '../faults/chain.js';
import type { RequestRecord, ResponseRecord, Reply } from '../messages.js';
import { assertLike, assertObject } from '../options.js';
import { createRandom } from '../random.js';
import { machineClock, type Clock } from '../time/clock.js';
import { createFetch, type FetchLike } from '../transport/fetch.js';
import { listen, type ListenOptions, type Listener } from '../transport/listen.js';
import { generateImage, type GeneratedImage, type GeneratedImageOptions } from './generate.js';
import { ImageFaults } from './image-faults.js';

const TYPES: Readonly<Record<string, string>> = {
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.bmp': 'image/bmp',
};

/** The media type that goes with a file name. */
function contentTypeOf(path: string): string {
  return TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream';
}

/** How to make an image host. */
export interface ImageHostOptions {
  /** Origin answered by `.handlers` and `.fetch`, and of `.url()` unless it listens. Default `https://images.example`. */
  readonly origin?: string;
  /** Times latencies. Default: the machine's clock. */
  readonly clock?: Clock;
  /** Seed of fault probabilities. Default 1. */
  readonly seed?: number;
  /** Newest requests kept in `.requests`. Default 10 000. */
  readonly requestLimit?: number;
}

/** A download as the host saw it. */
export interface ImageRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Null when the connection was cut instead of answered. */
  readonly status: number | null;
}

interface Stored {
  readonly contentType: string;
  readonly read: () => Uint8Array;
}

/** All of an image host but what needs msw. */
export class ImageHostCore {
  /** A `fetch` that never touches the network, for a worker's `fetch` option. */
  readonly fetch: FetchLike;
  /** What goes wrong on purpose. */
  readonly faults: ImageFaults;
  readonly #origin: string;
  readonly #chain: FaultChain;
  readonly #images = new Map<string, Stored>();
  readonly #requests: BoundedLog<ImageRequest>;
  #listener: Listener | undefined;
  #nextGenerated = 1;

  constructor(options: ImageHostOptions = {}) {
    assertObject(options, 'createImageHost');
    assertLike({ origin: '', clock: machineClock, seed: 1, requestLimit: 1 }, options);
    this.#origin = options.origin ?? 'https://images.example';
    this.#chain = new FaultChain(createRandom(options.seed ?? 1));
    this.#requests = new BoundedLog(options.requestLimit ?? 10_000);
    this.faults = new ImageFaults(this.#chain, options.clock ?? machineClock);
    this.fetch = createFetch(
      (request) => this.exchange(request),
      (origin) => origin === this.#origin || origin === this.#listener?.origin,
    );
  }

  /** Scheme and host of the URLs it gives: those of its socket once it listens. */
  get origin(): string {
    return this.#listener?.origin ?? this.#origin;
  }

  /** The newest downloads, oldest first. */
  get requests(): readonly ImageRequest[] {
    return this.#requests.toArray();
  }

  /** URLs of all images, in the order in which they were added. Listen first if they should point at the socket. */
  get urls(): readonly string[] {
    return [...this.#images.keys()].map((path) => this.url(path));
  }

  /** URL of an image, whether or not it exists. */
  url(path: string): string {
    return `${this.origin}${normalise(path)}`;
  }

  /**
   * Adds an image from memory.
   * @param contentType - default: by the ending of the path.
   * @returns its URL.
   */
  add(path: string, bytes: Uint8Array, contentType = contentTypeOf(normalise(path))): string {
    if (!(bytes instanceof Uint8Array)) throw new TypeError('bytes must be a Uint8Array.');
    this.#images.set(normalise(path), { contentType, read: () => bytes });
    return this.url(path);
  }

  /** Adds a file, which is read anew for every download. @returns its URL. */
  addFile(file: string, path?: string): string {
    assertKind('file', file, 'string');
    const place = path ?? basename(file);
    this.#images.set(normalise(place), { contentType: contentTypeOf(file), read: () => readFileSync(file) });
    return this.url(place);
  }

  /** Adds the images of a folder, by name. @returns their URLs. */
  addFolder(folder: string): string[] {
    const names = readdirSync(folder).filter((name) => /\.(?:jpe?g|png|gif|webp|bmp)$/i.test(name));
    return names.sort().map((name) => this.addFile(join(folder, name)));
  }

  /** Draws an image and adds it. @returns it, with what is on it and its URL. */
  generate(
    options: GeneratedImageOptions & { readonly path?: string } = {},
  ): GeneratedImage & { readonly url: string } {
    assertObject(options, 'generate');
    const { path, ...drawing } = options;
    assertLike({ path: '' }, { path });
    const image = generateImage({ seed: this.#nextGenerated, ...drawing });
    const number = this.#nextGenerated++;
    const url = this.add(path ?? `/generated/${number}.png`, image.bytes, 'image/png');
    return { ...image, url };
  }

  /** Serves on a real socket; from now on URLs point there. */
  async listen(options: ListenOptions = {}): Promise<Listener> {
    this.#listener = await listen((request) => this.exchange(request), options);
    return this.#listener;
  }

  /** Stops listening; URLs point at the made-up origin again. */
  async close(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    await listener?.close();
  }

  /** Answers one request; what every way to the host comes to. */
  async exchange(request: RequestRecord): Promise<Reply> {
    const reply = await this.#chain.run(request, async (passed) => ({
      kind: 'answer',
      response: this.#serve(passed),
    }));
    const status = reply.kind === 'answer' || reply.kind === 'partial' ? reply.response.status : null;
    this.#requests.push({ method: request.method, path: request.path, headers: request.headers, status });
    return reply;
  }

  #serve(request: RequestRecord): ResponseRecord {
    const image = this.#images.get(decodeURIComponent(request.path));
    if (!image) return { status: 404, headers: { 'content-type': 'text/plain' }, body: 'Not found' };
    const bytes = image.read();
    return {
      status: 200,
      headers: { 'content-type': image.contentType },
      body: request.method === 'HEAD' ? '' : bytes,
    };
  }
}

function normalise(path: string): string {
  assertKind('path', path, 'string');
  return path.startsWith('/') ? path : `/${path}`;
}
