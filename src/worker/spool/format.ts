import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Outcome } from '../task/outcome.js';

/** Version of the format; a file of another one is kept and reported, never guessed at. */
const SPOOL_VERSION = 1;

/** A result as it lies on disk. No credential is ever part of it. */
export interface SpooledResult {
  readonly replySubject: string;
  readonly outcome: Outcome;
}

/** One file: the results of one post. */
export interface SpooledPost {
  readonly jobId: number;
  /** Wall time of writing, in milliseconds since the Unix epoch. */
  readonly createdAtMs: number;
  /** By how much the server's clock was ahead of ours then, in milliseconds; undefined if that was not known. */
  readonly clockOffsetMs?: number | undefined;
  readonly results: readonly SpooledResult[];
}

/** What a file turned out to be. */
export type Decoded =
  | { readonly kind: 'post'; readonly post: SpooledPost }
  | { readonly kind: 'unknown-version'; readonly version: number }
  | { readonly kind: 'bad'; readonly reason: string };

const headerSchema = z.object({
  version: z.literal(SPOOL_VERSION),
  jobId: z.int(),
  createdAtMs: z.number(),
  // Came later than the format: files without it, and readers that pass it over, are fine.
  clockOffsetMs: z.number().optional(),
  sha256: z.string(),
  results: z.array(
    z.object({
      replySubject: z.string(),
      imageId: z.string(),
      kind: z.enum(['success', 'error']),
      bytes: z.int().nonnegative(),
    }),
  ),
});

/** A line of JSON that describes what follows, then the results' bytes, one after the other. */
export function encodeSpoolFile(post: SpooledPost): Buffer[] {
  const bodies = post.results.map(({ outcome }) => outcome.body);
  const hash = createHash('sha256');
  for (const body of bodies) hash.update(body);
  const header: z.infer<typeof headerSchema> = {
    version: SPOOL_VERSION,
    jobId: post.jobId,
    createdAtMs: post.createdAtMs,
    clockOffsetMs: post.clockOffsetMs,
    sha256: hash.digest('hex'),
    results: post.results.map(({ replySubject, outcome }) => ({
      replySubject,
      imageId: outcome.imageId,
      kind: outcome.kind,
      bytes: outcome.body.length,
    })),
  };
  return [Buffer.from(`${JSON.stringify(header)}\n`), ...bodies];
}

/** Reads a file back. Never throws: after a power failure anything may be in it. */
export function decodeSpoolFile(content: Buffer): Decoded {
  const end = content.indexOf('\n');
  if (end < 0) return { kind: 'bad', reason: 'the header is cut off' };
  let header: unknown;
  try {
    header = JSON.parse(content.subarray(0, end).toString());
  } catch {
    return { kind: 'bad', reason: 'the header is not JSON' };
  }
  const version = (header as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version !== SPOOL_VERSION) return { kind: 'unknown-version', version };
  const parsed = headerSchema.safeParse(header);
  if (!parsed.success) return { kind: 'bad', reason: 'the header is incomplete' };
  const { jobId, createdAtMs, clockOffsetMs, sha256, results } = parsed.data;
  const payload = content.subarray(end + 1);
  if (createHash('sha256').update(payload).digest('hex') !== sha256)
    return { kind: 'bad', reason: 'the checksum does not match' };
  let offset = 0;
  const read = results.map(({ replySubject, imageId, kind, bytes }) => {
    const body = payload.subarray(offset, (offset += bytes));
    return { replySubject, outcome: { kind, imageId, body } };
  });
  if (offset !== payload.length) return { kind: 'bad', reason: 'the sizes do not add up' };
  return { kind: 'post', post: { jobId, createdAtMs, clockOffsetMs, results: read } };
}
