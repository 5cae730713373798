import { z } from 'zod';
import { CACHE_TTL_MS, CACHED_OPERATIONS, type CachedOperation } from './rules.js';

/** Options of the cache, or `false` for none. */
export interface CacheOptions {
  /**
   * Milliseconds for which an answer is kept: one number for all operations, or by operation. 0 turns it off. Default: 300,000 for
   * `auth.me`, `projects.get` and `pipelines.get`, 60,000 for lists and services.
   */
  readonly ttlMs?: number | Readonly<Partial<Record<CachedOperation, number | undefined>>> | undefined;
  /** Answers kept at most; the one that was used least recently goes first. Default 500. */
  readonly maxEntries?: number | undefined;
}

/** Some hundred projects and their pipelines, at a few kilobytes each. */
const CACHE_MAX_ENTRIES = 500;

/** The options after defaults. */
export interface CacheLimits {
  readonly ttlMs: Readonly<Record<CachedOperation, number>>;
  readonly maxEntries: number;
}

const ttlSchema = z.number().nonnegative();

/** Shape of {@link CacheOptions}, for the checks of the client's options. */
export const cacheOptionsSchema = z.union(
  [
    z.literal(false),
    z.strictObject({
      ttlMs: z
        .union([
          ttlSchema,
          z.strictObject(Object.fromEntries(CACHED_OPERATIONS.map((name) => [name, ttlSchema.optional()]))),
        ])
        .optional(),
      maxEntries: z.int().positive().optional(),
    }),
  ],
  {
    error: `must be false or { ttlMs, maxEntries }, with ttlMs a number or numbers for some of ${CACHED_OPERATIONS.join(', ')}`,
  },
);

/** @param options - checked by {@link cacheOptionsSchema}. */
export function cacheLimits(options: CacheOptions | false | undefined): CacheLimits {
  const given = options === false ? { ttlMs: 0 } : (options ?? {});
  const { ttlMs, maxEntries = CACHE_MAX_ENTRIES } = given;
  const ttlOf = (name: CachedOperation): number =>
    typeof ttlMs === 'number' ? ttlMs : (ttlMs?.[name] ?? CACHE_TTL_MS[name]);
  return {
    ttlMs: Object.fromEntries(CACHED_OPERATIONS.map((name) => [name, ttlOf(name)])) as CacheLimits['ttlMs'],
    maxEntries,
  };
}
