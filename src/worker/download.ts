import { createFetchTransport, type FetchLike } from '../http/fetch-transport.js';
import {
  describeFailure,
  TransportFailure,
  type Transport,
  type TransportResponse,
} from '../http/transport.js';
import { createUndiciTransport } from '../http/undici-transport.js';
import { Deadline } from '../time/deadline.js';
import { sleep, type Clock } from '../time/clock.js';
import type { Task } from '../contract/tasks.js';
import { checkImage, isChecksum, type Checksum } from './image-check.js';
import { PermanentTaskError, RetryableTaskError } from './task-errors.js';

/** Limits of a download. Image URLs come from the job and are not ours to trust. */
export interface DownloadLimits {
  /** Milliseconds for one try, from connecting to the last byte. */
  readonly timeoutMs: number;
  /** Larger images are refused. */
  readonly maxBytes: number;
  readonly maxRedirects: number;
  /** Tries in all. */
  readonly attempts: number;
  /** Media types that count as an image, such as `['image/*']`; other answers are tried again. Default: any. */
  readonly contentTypes?: readonly string[] | undefined;
  /** What an image's bytes must hash to, if it is known from elsewhere; undefined skips the check. Default: no check. */
  readonly checksum?: ((task: Task) => Checksum | undefined) | undefined;
  /**
   * Address of an HTTP proxy, `'env'` for `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, or false for none. Default: the client's, since
   * whoever cannot reach the API without one seldom reaches the images.
   */
  readonly proxy?: string | false | undefined;
}

/** Defaults: a 4K JPEG has 1 to 2 MB; 100 MiB leaves room for uncompressed ones. */
export const DOWNLOAD_DEFAULTS: DownloadLimits = {
  timeoutMs: 30_000,
  maxBytes: 100 * 1024 * 1024,
  maxRedirects: 5,
  attempts: 3,
};

/** First backoff between two tries; doubles. */
const BACKOFF_MS = 250;

/** Longest time for a connection: a host that does not answer must leave time within the lease for another try. */
const CONNECT_TIMEOUT_MS = 10_000;

/** An image as it came. */
export interface Downloaded {
  readonly bytes: Buffer;
  readonly contentType: string | undefined;
}

/** Image servers keep idle connections for longer than gunicorn does, and a slow model leaves seconds between two images. */
const KEEP_ALIVE_MS = 4_000;

/** Fetches images: http and https only, never with a credential, within limits of size, time and redirects. */
export class Downloader {
  readonly #transport: Transport;
  readonly #limits: DownloadLimits;
  readonly #clock: Clock;
  readonly #random: () => number;

  constructor(options: {
    clock: Clock;
    random?: () => number;
    limits?: Partial<DownloadLimits>;
    fetch?: FetchLike | undefined;
  }) {
    this.#clock = options.clock;
    this.#random = options.random ?? Math.random;
    this.#limits = { ...DOWNLOAD_DEFAULTS, ...options.limits };
    const { maxBytes, timeoutMs, proxy } = this.#limits;
    this.#transport = options.fetch
      ? createFetchTransport(options.fetch, maxBytes)
      : createUndiciTransport({
          proxy: proxy === false ? undefined : proxy,
          proxyTunnel: false,
          connectTimeoutMs: Math.min(timeoutMs, CONNECT_TIMEOUT_MS),
          keepAliveMs: KEEP_ALIVE_MS,
          maxResponseBytes: maxBytes,
        });
  }

  /**
   * Downloads the image of a task.
   * @param options.remainingMs - time in which another try is still worth beginning; default no limit.
   * @throws PermanentTaskError when no try can succeed: 404, 410, other 4xx, not http, too large, too many redirects.
   * @throws RetryableTaskError when all tries failed for passing reasons: 5xx, 408, 425, 429, connection, timeout, cut off, not the
   * image that was asked for.
   * @throws the signal's reason when it aborts.
   */
  async download(
    task: Task,
    signal: AbortSignal,
    options: { remainingMs?: () => number } = {},
  ): Promise<Downloaded> {
    const checksum = this.#checksumOf(task);
    for (let attempt = 1; ; attempt++) {
      try {
        const image = await this.#once(task.image_url, signal);
        checkImage(image, this.#limits.contentTypes, checksum);
        return image;
      } catch (error) {
        if (signal.aborted || !(error instanceof RetryableTaskError) || attempt >= this.#limits.attempts)
          throw error;
        const delayMs = this.#random() * BACKOFF_MS * 2 ** attempt;
        if (delayMs >= (options.remainingMs?.() ?? Number.POSITIVE_INFINITY)) throw error;
        await sleep(this.#clock, delayMs, signal);
      }
    }
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  #checksumOf(task: Task): Checksum | undefined {
    const checksum = this.#limits.checksum?.(task);
    if (checksum === undefined || isChecksum(checksum)) return checksum;
    throw new PermanentTaskError(
      'download.checksum must return { algorithm, hex } with a hash that Node knows, such as sha256',
    );
  }

  async #once(url: string, signal: AbortSignal): Promise<Downloaded> {
    const deadline = new Deadline({ clock: this.#clock, timeoutMs: this.#limits.timeoutMs, signal });
    try {
      return imageOf(await this.#follow(url, deadline));
    } catch (thrown) {
      // A fetch of the user's may judge for itself.
      const error = thrown instanceof TransportFailure && isTaskError(thrown.cause) ? thrown.cause : thrown;
      if (isTaskError(error)) throw error;
      if (signal.aborted) throw signal.reason;
      if (error instanceof TransportFailure && error.tooLarge)
        throw new PermanentTaskError(`image download failed: larger than ${this.#limits.maxBytes} bytes`);
      const why = deadline.reason
        ? `no whole answer in ${this.#limits.timeoutMs} ms`
        : describeFailure(error).reason;
      throw new RetryableTaskError(`image download failed: ${why}`);
    } finally {
      deadline.dispose();
    }
  }

  async #follow(start: string, deadline: Deadline): Promise<TransportResponse> {
    let url = httpUrl(start);
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#transport.send({
        method: 'GET',
        url,
        headers: {},
        body: undefined,
        // Of a redirect or an error only the status counts, and a page that never ends must not hide it.
        wantsBody: (status) => status >= 200 && status < 300,
        deadline,
        enter: (phase) => {
          deadline.enter(phase);
        },
      });
      const { location } = answer.headers;
      if (answer.status < 300 || answer.status >= 400 || location === undefined) return answer;
      if (redirects >= this.#limits.maxRedirects)
        throw new PermanentTaskError('image download failed: too many redirects');
      url = httpUrl(location, url.href);
    }
  }
}

/** @throws PermanentTaskError or RetryableTaskError when it is not a whole image. */
function imageOf({ status, headers, body }: TransportResponse): Downloaded {
  if (status < 200 || status >= 300) {
    const text = `image download failed: the image server answered ${status}`;
    const passing = status >= 500 || status === 408 || status === 425 || status === 429;
    throw passing ? new RetryableTaskError(text) : new PermanentTaskError(text);
  }
  const size = body.length;
  // A fetch need not compare them, and takes a connection that broke for the end.
  const declared =
    headers['content-encoding'] === undefined ? Number(headers['content-length'] ?? size) : size;
  if (size !== declared)
    throw new RetryableTaskError(`image download failed: cut off after ${size} of ${declared} bytes`);
  if (size === 0) throw new RetryableTaskError('image download failed: the image is empty');
  // Its own memory: one that came in a single chunk is a view of the socket's, with all that came beside it.
  return { bytes: Buffer.concat([body]), contentType: headers['content-type'] };
}

function isTaskError(error: unknown): error is PermanentTaskError | RetryableTaskError {
  return error instanceof PermanentTaskError || error instanceof RetryableTaskError;
}

/** @throws PermanentTaskError for anything but an http or https URL. */
function httpUrl(text: string, base?: string): URL {
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new PermanentTaskError(
    `image download failed: ${url?.protocol ?? 'invalid'} URLs are not downloaded, only http and https`,
  );
}
