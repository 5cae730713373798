import { Deadline } from '../../time/deadline.js';
import { RetryableTaskError, PermanentTaskError } from '../handler/task-errors.js';
import { issuesOf } from '../../contract/issues.js';
import { PRIVATE_ADDRESS } from '../../http/address-guard.js';
import {
  checkArguments,
  checkOptions,
  isA,
  isClock,
  isFunction,
  isObject,
  type Check,
} from '../../errors/arguments.js';
import { createFetchTransport, type FetchLike } from '../../http/fetch-transport.js';
import { describeFailure } from '../../http/failure.js';
import { TransportFailure, type Transport, type TransportResponse } from '../../http/transport.js';
import { createUndiciTransport } from '../../http/undici-transport.js';
import { sleep, type Clock } from '../../time/clock.js';
import type { Task } from '../../contract/tasks.js';
import { DOWNLOAD_DEFAULTS, downloadSchema, type DownloadLimits } from './download-options.js';
import {
  checkImage,
  imageOf,
  isChecksum,
  isWholeAnswer,
  type Checksum,
  type Downloaded,
} from './image-check.js';
import { checkHost, imagePlace, redirectTarget, withoutUrls } from './image-url.js';

/**
 * Tells a download to make way for another. Not an abort signal: nearly no download is told, and making a signal for each costs more than
 * its share of an image's time.
 */
export class Preemption {
  readonly jobId: number;
  readonly startedAtMs: number;
  #deadline: Pick<Deadline, 'end'> | undefined;
  #requested = false;

  constructor(jobId: number, startedAtMs: number) {
    this.jobId = jobId;
    this.startedAtMs = startedAtMs;
  }

  get requested(): boolean {
    return this.#requested;
  }

  /** The try that is under way. */
  attach(deadline: Pick<Deadline, 'end'>): void {
    this.#deadline = deadline;
    if (this.#requested) this.preempt();
  }

  preempt(): void {
    this.#requested = true;
    this.#deadline?.end(new RetryableTaskError('the download gave its slot to another image host'));
  }
}

const isLimits: Check = (limits) => {
  const { error } = downloadSchema.safeParse(limits);
  return (
    error &&
    issuesOf(error)
      .map(({ path, message }) => `${path}: ${message}`)
      .join('; ')
  );
};
const OPTIONS = { clock: isClock, random: isFunction, limits: isLimits, fetch: isFunction };
const CALL = {
  task: (task: unknown) =>
    isObject(task) ??
    (typeof (task as Task).image_url === 'string' ? undefined : 'must have the text image_url'),
  signal: isA(AbortSignal),
};
const CALL_OPTIONS = { remainingMs: isFunction, preemption: isObject };

/** First backoff between two tries; doubles. */
const BACKOFF_MS = 250;

/** Longest time for a connection: a host that does not answer must leave time within the lease for another try. */
const CONNECT_TIMEOUT_MS = 10_000;

const PRIVATE_HOST =
  "the host is at a private, loopback or link-local address, which the worker's download.publicOnly refuses; " +
  'set it to false if images lie there, and name their hosts in download.hosts';

/** Image servers keep idle connections for longer than gunicorn does, and a slow model leaves seconds between two images. */
const KEEP_ALIVE_MS = 4_000;

/**
 * Fetches images: http and https only, within limits of size, time, hosts and redirects. Never with the client's credential; a user and
 * password in the URL go to its origin and nowhere else.
 */
export class Downloader {
  readonly #transport: Transport;
  readonly #limits: DownloadLimits;
  readonly #clock: Clock;
  readonly #random: () => number;

  /** @throws AntennaConfigError naming every wrong option. */
  constructor(options: {
    clock: Clock;
    random?: () => number;
    limits?: Partial<DownloadLimits>;
    fetch?: FetchLike | undefined;
  }) {
    checkOptions('Invalid Downloader options', options, OPTIONS, ['clock']);
    this.#clock = options.clock;
    this.#random = options.random ?? Math.random;
    this.#limits = { ...DOWNLOAD_DEFAULTS, ...options.limits };
    const { maxBytes, timeoutMs, proxy, publicOnly } = this.#limits;
    this.#transport = options.fetch
      ? createFetchTransport(options.fetch, maxBytes)
      : createUndiciTransport({
          proxy: proxy === false ? undefined : proxy,
          proxyTunnel: false,
          connectTimeoutMs: Math.min(timeoutMs, CONNECT_TIMEOUT_MS),
          keepAliveMs: KEEP_ALIVE_MS,
          publicOnly,
          maxResponseBytes: maxBytes,
        });
  }

  /**
   * Downloads the image of a task.
   * @param options.remainingMs - time in which another try is still worth beginning; default no limit.
   * @param options.preemption - by which the download is told to make way.
   * @throws AntennaConfigError for wrong arguments.
   * @throws PermanentTaskError when no try can succeed: 404, 410, other 4xx, not http, too large, too many redirects, a
   * host that is not allowed.
   * @throws RetryableTaskError when all tries failed for passing reasons: 5xx, 408, 425, 429, connection, timeout, cut off, a part of an
   * image, no image.
   * @throws the signal's reason when it aborts.
   */
  async download(
    task: Task,
    signal: AbortSignal,
    options: { remainingMs?: () => number; preemption?: Preemption } = {},
  ): Promise<Downloaded> {
    checkArguments({ task, signal }, CALL);
    checkOptions('Cannot download', options, CALL_OPTIONS);
    const checksum = this.#checksumOf(task);
    for (let attempt = 1; ; attempt++) {
      try {
        const image = await this.#once(task.image_url, signal, options.preemption);
        checkImage(image, this.#limits.contentTypes, checksum);
        return image;
      } catch (error) {
        const isOver = signal.aborted || options.preemption?.requested === true;
        if (isOver || !(error instanceof RetryableTaskError) || attempt >= this.#limits.attempts) throw error;
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

  async #once(url: string, signal: AbortSignal, preemption?: Preemption): Promise<Downloaded> {
    const deadline = new Deadline({ clock: this.#clock, timeoutMs: this.#limits.timeoutMs, signal });
    preemption?.attach(deadline);
    try {
      return imageOf(await this.#follow(url, deadline));
    } catch (thrown) {
      // A fetch of the user's may judge for itself.
      const error = thrown instanceof TransportFailure && isTaskError(thrown.cause) ? thrown.cause : thrown;
      if (isTaskError(error)) throw error;
      if (signal.aborted) throw signal.reason;
      if (error instanceof TransportFailure && error.tooLarge)
        throw new PermanentTaskError(`image download failed: larger than ${this.#limits.maxBytes} bytes`);
      if (error instanceof TransportFailure && error.causeCode === PRIVATE_ADDRESS)
        throw new PermanentTaskError(`image download failed: ${PRIVATE_HOST}`);
      const why = deadline.reason
        ? `no whole answer in ${this.#limits.timeoutMs} ms`
        : withoutUrls(describeFailure(error).reason);
      throw new RetryableTaskError(`image download failed: ${why}`);
    } finally {
      deadline.dispose();
    }
  }

  async #follow(start: string, deadline: Deadline): Promise<TransportResponse> {
    const place = imagePlace(start);
    let { url } = place;
    for (let redirects = 0; ; redirects++) {
      checkHost(url, this.#limits.hosts);
      const authorization = url.origin === place.url.origin ? place.authorization : undefined;
      const answer = await this.#transport.send({
        method: 'GET',
        url,
        headers: authorization === undefined ? {} : { authorization },
        body: undefined,
        // Of a redirect or an error only the status counts, and a page that never ends must not hide it.
        wantsBody: isWholeAnswer,
        deadline,
        enter: (phase) => {
          deadline.enter(phase);
        },
      });
      const { location } = answer.headers;
      if (answer.status < 300 || answer.status >= 400 || location === undefined) return answer;
      if (redirects >= this.#limits.maxRedirects)
        throw new PermanentTaskError('image download failed: too many redirects');
      url = redirectTarget(location, url);
    }
  }
}

function isTaskError(error: unknown): error is PermanentTaskError | RetryableTaskError {
  return error instanceof PermanentTaskError || error instanceof RetryableTaskError;
}
