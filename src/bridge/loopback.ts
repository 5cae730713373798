import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TaskImage } from '../worker/handler/handler.js';

/** Images of one call, as the service finds them. */
export interface ServedBatch {
  /** URL of an image; its path ends in a file name, from which services take the format. */
  urlOf(image: TaskImage): string;
  /** Images that were asked for. */
  readonly fetched: number;
  /** From now on the URLs are 404. */
  close(): void;
}

interface Served {
  readonly image: TaskImage;
  readonly onFetch: () => void;
}

const EXTENSIONS: readonly (readonly [RegExp, string])[] = [
  [/png/, 'png'],
  [/webp/, 'webp'],
  [/tiff/, 'tif'],
  [/gif/, 'gif'],
  [/bmp/, 'bmp'],
];

/**
 * Serves the bytes of the images in hand on 127.0.0.1, for the time of a call and under names that cannot be guessed. A service then waits
 * for no image host, writes no signed URL into its log, and needs no network.
 *
 * The bytes are written to the socket from the buffer that the download left: no copy is made here.
 */
export class LoopbackImages {
  readonly #images = new Map<string, Served>();
  #server: Server | undefined;
  #listening: Promise<string> | undefined;

  /** Makes images available. @throws when no port can be had. */
  async serve(images: readonly TaskImage[]): Promise<ServedBatch> {
    const origin = await (this.#listening ??= this.#listen());
    const fetched = new Set<TaskImage>();
    const paths = new Map<TaskImage, string>();
    for (const image of images) {
      const path = `/${randomBytes(18).toString('base64url')}/${fileName(image)}`;
      paths.set(image, path);
      this.#images.set(path, { image, onFetch: () => void fetched.add(image) });
    }
    return {
      urlOf: (image) => `${origin}${paths.get(image) ?? ''}`,
      get fetched() {
        return fetched.size;
      },
      close: () => {
        for (const path of paths.values()) this.#images.delete(path);
      },
    };
  }

  close(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
    this.#server = undefined;
    this.#listening = undefined;
    this.#images.clear();
  }

  async #listen(): Promise<string> {
    const server = createServer((request, response) => {
      const served = this.#images.get((request.url ?? '').split('?')[0] ?? '');
      if (!served || (request.method !== 'GET' && request.method !== 'HEAD')) {
        response.writeHead(404, { 'content-length': 0 }).end();
        return;
      }
      served.onFetch();
      const { bytes, contentType = 'image/jpeg' } = served.image;
      response.writeHead(200, {
        // A header that came from an image host is not ours to trust.
        'content-type': /^[\w.+-]+\/[\w.+-]+$/.test(contentType) ? contentType : 'application/octet-stream',
        'content-length': bytes.length,
        'cache-control': 'no-store',
      });
      response.end(request.method === 'HEAD' ? undefined : bytes);
    });
    // An idle bridge must not keep a program alive that has ended in all but name.
    server.unref();
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        resolve();
      });
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
}

/** Ids come from a server; nothing of them but letters and digits goes into a path that services split at slashes. */
function fileName({ id, contentType = '' }: TaskImage): string {
  const extension = EXTENSIONS.find(([pattern]) => pattern.test(contentType))?.[1] ?? 'jpg';
  return `${id.replaceAll(/[^\w-]/g, '_').slice(0, 64) || 'image'}.${extension}`;
}
