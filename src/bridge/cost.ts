/** One call that went well. */
export interface CallSample {
  readonly images: number;
  readonly durationMs: number;
}

/** What a call costs: a fixed price, and a price an image. */
export interface CallCost {
  readonly fixedMs: number;
  readonly imageMs: number;
  /** Standard deviation of what the two do not explain. */
  readonly sdMs: number;
  /** False while all calls had one size, so that the two prices cannot be told apart. */
  readonly separable: boolean;
  /** Largest size that was measured. */
  readonly largest: number;
}

/** Calls that are remembered: a service that becomes slower is known after some of them. */
export const COST_WINDOW = 32;
/** Weight of a call beside the one after it. */
const DECAY = 0.92;
/** 99 % of a normal distribution lies below the mean and this many standard deviations. */
const Z99 = 2.33;
/** Part of a call's time that its fixed price may be; larger batches than that take add little, and hold results back. */
const FIXED_SHARE = 0.1;
/** Images in a call that are always worth while: less would be a request for each. */
const MIN_USEFUL = 4;

/**
 * Fits `fixed + images · marginal` to the calls, the newest counting most. Production services build their models anew in every call
 * (PUSH_API §5): a mean per image would say "8 s an image" and never find out that eight take 12.
 * @param samples - oldest first.
 * @returns undefined without samples.
 */
export function fitCost(samples: readonly CallSample[]): CallCost | undefined {
  if (samples.length === 0) return undefined;
  let weight = 0;
  let meanX = 0;
  let meanY = 0;
  const weights = samples.map((_, index) => DECAY ** (samples.length - 1 - index));
  samples.forEach(({ images, durationMs }, index) => {
    const w = weights[index] ?? 0;
    weight += w;
    meanX += w * images;
    meanY += w * durationMs;
  });
  meanX /= weight;
  meanY /= weight;
  let sxx = 0;
  let sxy = 0;
  samples.forEach(({ images, durationMs }, index) => {
    const w = weights[index] ?? 0;
    sxx += w * (images - meanX) ** 2;
    sxy += w * (images - meanX) * (durationMs - meanY);
  });
  const separable = new Set(samples.map(({ images }) => images)).size > 1;
  // Neither price is negative; what noise makes of them is pushed back to the nearest that is none.
  let imageMs = separable ? Math.max(0, sxy / sxx) : meanY / meanX;
  let fixedMs = meanY - imageMs * meanX;
  if (fixedMs < 0) {
    fixedMs = 0;
    imageMs = meanY / meanX;
  }
  let squares = 0;
  samples.forEach(({ images, durationMs }, index) => {
    squares += (weights[index] ?? 0) * (durationMs - fixedMs - imageMs * images) ** 2;
  });
  const largest = Math.max(...samples.map(({ images }) => images));
  return { fixedMs, imageMs, sdMs: Math.sqrt(squares / weight), separable, largest };
}

/** What the size of a batch goes by. */
export interface BatchRoom {
  /** Until the first of its images should be computed: what is left of the lease, less posting. */
  readonly roomMs: number;
  /** The same for images whose lease has just begun. */
  readonly fullRoomMs: number;
  readonly cap: number;
}

/**
 * How many images the next call should take: as many as the lease allows, up to where the fixed price no longer matters. While only one
 * size was seen, the next is twice as large, so that the two prices can be told apart.
 */
export function batchFor(cost: CallCost | undefined, { roomMs, fullRoomMs, cap }: BatchRoom): number {
  if (!cost) return 1;
  const fitting = fits(cost, roomMs);
  // Images that are late whatever one does are not made less late by small calls.
  const within = fitting >= 1 ? fitting : Math.max(1, fits(cost, fullRoomMs));
  const wanted = cost.separable ? usefulBatch(cost) : Math.max(2, 2 * cost.largest);
  // A first try of two is worth being late once: if the price is fixed they cost what one does.
  const least = cost.separable || cost.largest > 1 ? 1 : 2;
  return Math.min(cap, Math.max(least, Math.min(wanted, within)));
}

/** Images from which on the fixed price is a small part of a call. */
function usefulBatch({ fixedMs, imageMs }: CallCost): number {
  if (imageMs <= 0) return Number.MAX_SAFE_INTEGER;
  return Math.max(MIN_USEFUL, Math.ceil((fixedMs * (1 / FIXED_SHARE - 1)) / imageMs));
}

/** Largest number of images whose call ends within the room in all but a few cases. */
function fits({ fixedMs, imageMs, sdMs }: CallCost, roomMs: number): number {
  const left = roomMs - fixedMs - Z99 * sdMs;
  if (left < 0) return 0;
  // A fit of exact numbers is off by their last digits.
  return imageMs <= 0 ? Number.MAX_SAFE_INTEGER : Math.floor(left / imageMs + 1e-6);
}

/** Part of a lease that is kept for posting and saving: at least 5 s, and a tenth of it. */
export function postingMs(leaseMs: number): number {
  return Math.max(5_000, 0.1 * leaseMs);
}
