import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock, type FetchLike, type Task } from 'antenna-sdk';
import { Downloader } from '../../src/worker/images/download.js';
import type { DownloadLimits } from '../../src/worker/images/download-options.js';

/** What answers requests for images. */
export type ImageHandler = (request: IncomingMessage, response: ServerResponse) => void;

const closers: (() => Promise<void>)[] = [];

/** Has something closed by {@link closeImageServers}. */
function closeLater(close: () => Promise<void>): void {
  closers.push(close);
}

/** For `afterEach`. */
export async function closeImageServers(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

/** A real HTTP server on the loopback. @returns its address, `http://127.0.0.1:port`. */
export async function imageServer(handler: ImageHandler): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closeLater(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A downloader that tries twice and waits for nothing. */
export function downloader(limits: Partial<DownloadLimits> = {}, fetch?: FetchLike): Downloader {
  const made = new Downloader({
    clock: systemClock,
    random: () => 0,
    limits: { attempts: 2, ...limits },
    fetch,
  });
  closeLater(() => made.close());
  return made;
}

/** A task with its image at this place. */
export const imageAt = (image_url: string): Task => ({
  id: '1',
  image_id: '1',
  image_url,
  reply_subject: '',
});

/** A signal that never aborts. */
export const never = new AbortController().signal;

/** A `fetch` of the user's. */
export const viaFetch: FetchLike = (input, init) => fetch(input, init);
