import type { ThresholdRule } from './difference.js';

/** Settings of the detector. Lengths are shares of the image's long side, so that they fit any resolution. */
export interface DetectOptions {
  /** Long side of the image the detector works on, in pixels; larger images are shrunk while decoding. Default 2048. */
  workingSize?: number;
  /** A pixel above this differs from the sheet and may belong to an insect. */
  weak?: ThresholdRule;
  /** A pixel above this cannot be noise; every insect must have some of them. */
  strong?: ThresholdRule;
  /** Shortest insect, as a share of the long side. Default 0.0045 (18 pixels of a 4096-pixel photograph). */
  minLength?: number;
  /** Longest insect, as a share of the long side; longer things are frames, cables or sheet edges. Default 0.45. */
  maxLength?: number;
  /** Gap that may lie between the parts of one insect, as a share of the long side. Default 0.004. */
  gap?: number;
}

/** Every option with its default filled in. */
export type ResolvedDetectOptions = Required<DetectOptions>;

/** Chosen on photographs of five sites (cloth, white boards, painted wood) and used unchanged for all of them. */
export const DETECT_DEFAULTS: ResolvedDetectOptions = {
  workingSize: 2048,
  weak: { sigmas: 5, floor: 22 },
  strong: { sigmas: 9, floor: 55 },
  minLength: 0.0045,
  maxLength: 0.45,
  gap: 0.004,
};

/** Smallest working size that still shows an insect's shape. */
const MIN_WORKING_SIZE = 64;

/**
 * Fills in the defaults.
 *
 * @throws RangeError naming the option when a value makes no sense.
 */
export function resolveDetectOptions(options: DetectOptions): ResolvedDetectOptions {
  const resolved: ResolvedDetectOptions = { ...DETECT_DEFAULTS, ...options };
  if (!Number.isInteger(resolved.workingSize) || resolved.workingSize < MIN_WORKING_SIZE) {
    throw new RangeError(
      `workingSize must be a whole number of at least ${MIN_WORKING_SIZE} pixels, got ${resolved.workingSize}.`,
    );
  }
  for (const name of ['minLength', 'maxLength', 'gap'] as const) {
    const share = resolved[name];
    if (!(share > 0 && share <= 1)) {
      throw new RangeError(`${name} must be a share of the long side between 0 and 1, got ${share}.`);
    }
  }
  if (resolved.minLength >= resolved.maxLength) {
    throw new RangeError(
      `minLength (${resolved.minLength}) must be below maxLength (${resolved.maxLength}).`,
    );
  }
  return resolved;
}
