import { createHash, getHashes } from 'node:crypto';
import type { TransportResponse } from '../../http/transport.js';
import { PermanentTaskError, RetryableTaskError } from '../handler/task-errors.js';

/** An image as it came. */
export interface Downloaded {
  readonly bytes: Buffer;
  readonly contentType: string | undefined;
}

/** What an image's bytes must hash to. */
export interface Checksum {
  /** Name of a hash that Node knows, such as `sha256` or `md5`. */
  readonly algorithm: string;
  /** Hexadecimal, in upper or lower case. */
  readonly hex: string;
}

/** Whether an answer with this status has a whole image for its body. A 206 has a part of one, which some caches send unasked. */
export function isWholeAnswer(status: number): boolean {
  return status === 200 || status === 203;
}

/**
 * The image of an answer, once all of it is there.
 * @throws PermanentTaskError or RetryableTaskError when it is not a whole image.
 */
export function imageOf({ status, headers, body }: TransportResponse): Downloaded {
  if (!isWholeAnswer(status)) {
    const what = status === 206 ? '206, a part of the image' : status;
    const text = `image download failed: the image server answered ${what}`;
    const passing = status < 300 || status >= 500 || status === 408 || status === 425 || status === 429;
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

/** Types of pages, not of images: a login, a proxy's apology, an object store's error. An SVG is an image, and is not among them. */
const PAGE_TYPE = /^(?:text\/.*|application\/(?:.*\+)?(?:json|xml))$/;

/**
 * Whether an answer is the image that was asked for. What fails is worth another try: a proxy's error page goes away, and damage on
 * the way does not happen twice. An error result would be final.
 * @param contentTypes - media types, such as `image/jpeg`, `image/*`; undefined: any but those of pages. An answer without a type passes.
 * @param checksum - undefined: none is known.
 * @throws RetryableTaskError saying what was found instead.
 */
export function checkImage(
  { bytes, contentType }: Downloaded,
  contentTypes: readonly string[] | undefined,
  checksum: Checksum | undefined,
): void {
  const type = contentType === undefined ? undefined : mediaType(contentType);
  if (type !== undefined && contentTypes && !contentTypes.some((wanted) => matches(type, wanted)))
    throw new RetryableTaskError(
      `image download failed: the answer is ${type}, not ${contentTypes.join(' or ')} as the worker's download.contentTypes say`,
    );
  if (type !== undefined && !contentTypes && PAGE_TYPE.test(type))
    throw new RetryableTaskError(
      `image download failed: the answer is ${type}, not an image; if it is one, name the type in the worker's download.contentTypes`,
    );
  if (!checksum) return;
  const { algorithm, hex } = checksum;
  const actual = createHash(algorithm).update(bytes).digest('hex');
  if (actual !== hex.toLowerCase())
    throw new RetryableTaskError(
      `image download failed: its ${algorithm} is ${actual}, not ${hex.toLowerCase()}`,
    );
}

/** Whether the checksum can be computed here; one that cannot would fail every image. */
export function isChecksum(value: unknown): value is Checksum {
  if (typeof value !== 'object' || value === null) return false;
  const { algorithm, hex } = value as Partial<Record<string, unknown>>;
  return (
    typeof algorithm === 'string' &&
    getHashes().includes(algorithm) &&
    typeof hex === 'string' &&
    /^[\da-f]+$/i.test(hex)
  );
}

function matches(type: string, pattern: string): boolean {
  const wanted = pattern.toLowerCase();
  if (wanted === '*/*') return true;
  return wanted.endsWith('/*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted;
}

/** Without parameters, as RFC 9110 §8.3.1 has it: in any case. A header is anybody's text, and a type is never long. */
function mediaType(contentType: string): string {
  const [type = ''] = contentType.split(';');
  return type.trim().toLowerCase().slice(0, 100);
}
