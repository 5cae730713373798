import { createHash, getHashes } from 'node:crypto';
import { RetryableTaskError } from './task-errors.js';

/** What an image's bytes must hash to. */
export interface Checksum {
  /** Name of a hash that Node knows, such as `sha256` or `md5`. */
  readonly algorithm: string;
  /** Hexadecimal, in upper or lower case. */
  readonly hex: string;
}

/** What {@link checkImage} looks at. */
export interface ImageFacts {
  readonly bytes: Uint8Array;
  readonly contentType: string | undefined;
}

/**
 * Whether an answer is the image that was asked for. What fails is worth another try: a proxy's error page goes away, and damage on
 * the way does not happen twice. An error result would be final.
 * @param contentTypes - media types, such as `image/jpeg`, `image/*`; undefined: any. An answer without a type passes.
 * @param checksum - undefined: none is known.
 * @throws RetryableTaskError saying what was found instead.
 */
export function checkImage(
  { bytes, contentType }: ImageFacts,
  contentTypes: readonly string[] | undefined,
  checksum: Checksum | undefined,
): void {
  if (contentTypes && contentType !== undefined && !contentTypes.some((type) => matches(contentType, type)))
    throw new RetryableTaskError(
      `image download failed: the answer is ${mediaType(contentType)}, not ${contentTypes.join(' or ')}`,
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

function matches(contentType: string, pattern: string): boolean {
  const type = mediaType(contentType);
  const wanted = pattern.toLowerCase();
  return wanted.endsWith('/*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted;
}

/** Without parameters, as RFC 9110 §8.3.1 has it: in any case. */
function mediaType(contentType: string): string {
  const [type = ''] = contentType.split(';');
  return type.trim().toLowerCase();
}
