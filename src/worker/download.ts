import type Undici from 'undici';
import type { FetchLike } from '../http/fetch-transport.js';
import { describeFailure } from '../http/transport.js';
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

/** An image as it came. */
export interface Downloaded {
  readonly bytes: Buffer;
  readonly contentType: string | undefined;
}

/** One answer before its body is read. */
interface Answer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the transfer without reading the rest. */
  readonly cancel: () => void;
}

type Get = (url: string, signal: AbortSignal) => Promise<Answer>;

/** Fetches images: http and https only, never with a credential, within limits of size, time and redirects. */
export class Downloader {
  readonly #get: Get;
  readonly #close: () => Promise<void>;
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
    const { get, close } = options.fetch ? viaFetch(options.fetch) : viaUndici();
    this.#get = get;
    this.#close = close;
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
    return this.#close();
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
    deadline.enter('headers');
    try {
      return await deadline.race(this.#follow(url, deadline));
    } catch (error) {
      if (error instanceof PermanentTaskError || error instanceof RetryableTaskError) throw error;
      if (signal.aborted) throw signal.reason;
      const why = deadline.signal.aborted
        ? `no whole answer in ${this.#limits.timeoutMs} ms`
        : describeFailure(error).reason;
      throw new RetryableTaskError(`image download failed: ${why}`);
    } finally {
      deadline.dispose();
    }
  }

  async #follow(start: string, deadline: Deadline): Promise<Downloaded> {
    let url = start;
    for (let redirects = 0; ; redirects++) {
      assertHttp(url);
      const answer = await this.#get(url, deadline.signal);
      const location = answer.header('location');
      if (answer.status < 300 || answer.status >= 400 || location === undefined)
        return this.#read(answer, deadline);
      answer.cancel();
      if (redirects >= this.#limits.maxRedirects)
        throw new PermanentTaskError('image download failed: too many redirects');
      url = new URL(location, url).href;
    }
  }

  async #read(answer: Answer, deadline: Deadline): Promise<Downloaded> {
    const { status } = answer;
    if (status < 200 || status >= 300) {
      answer.cancel();
      const text = `image download failed: the image server answered ${status}`;
      const passing = status >= 500 || status === 408 || status === 425 || status === 429;
      throw passing ? new RetryableTaskError(text) : new PermanentTaskError(text);
    }
    deadline.enter('body');
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of answer.body) {
      size += chunk.byteLength;
      if (size > this.#limits.maxBytes) {
        answer.cancel();
        throw new PermanentTaskError(`image download failed: larger than ${this.#limits.maxBytes} bytes`);
      }
      chunks.push(chunk);
    }
    const declared =
      answer.header('content-encoding') === undefined
        ? Number(answer.header('content-length') ?? size)
        : size;
    if (size !== declared)
      throw new RetryableTaskError(`image download failed: cut off after ${size} of ${declared} bytes`);
    if (size === 0) throw new RetryableTaskError('image download failed: the image is empty');
    return { bytes: Buffer.concat(chunks), contentType: answer.header('content-type') };
  }
}

function assertHttp(url: string): void {
  const protocol = URL.canParse(url) ? new URL(url).protocol : 'no';
  if (protocol === 'http:' || protocol === 'https:') return;
  throw new PermanentTaskError(
    `image download failed: ${protocol} URLs are not downloaded, only http and https`,
  );
}

interface Getter {
  readonly get: Get;
  readonly close: () => Promise<void>;
}

/** undici is loaded with the first image, for the sake of the time that importing the package takes. */
function viaUndici(): Getter {
  let loading: Promise<{ request: typeof Undici.request; agent: Undici.Agent }> | undefined;
  const load = async (): Promise<{ request: typeof Undici.request; agent: Undici.Agent }> => {
    const { Agent, request } = await import('undici');
    return { request, agent: new Agent({ keepAliveTimeout: 4_000, headersTimeout: 0, bodyTimeout: 0 }) };
  };
  return {
    async get(url, signal) {
      const { request, agent } = await (loading ??= load());
      const { statusCode, headers, body } = await request(url, { dispatcher: agent, signal });
      return {
        status: statusCode,
        header: (name) => headers[name]?.toString(),
        body,
        // Reading it to its end would be downloading what was just refused.
        cancel: () => {
          body.on('error', () => undefined).destroy();
        },
      };
    },
    async close() {
      await (await loading)?.agent.close();
    },
  };
}

function viaFetch(fetchLike: FetchLike): Getter {
  return {
    async get(url, signal) {
      const response = await fetchLike(url, { method: 'GET', headers: {}, redirect: 'manual', signal });
      return {
        status: response.status,
        header: (name) => response.headers.get(name) ?? undefined,
        body: (response.body as AsyncIterable<Uint8Array> | null) ?? emptyBody(),
        cancel: () => {
          response.body?.cancel().catch(() => undefined);
        },
      };
    },
    close: () => Promise.resolve(),
  };
}

async function* emptyBody(): AsyncGenerator<Uint8Array, void, undefined> {
  // Nothing to read: a 204, or an answer without a body.
}
