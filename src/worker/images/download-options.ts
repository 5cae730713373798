import { z } from 'zod';
import type { Task } from '../../contract/tasks.js';
import { carrierIssues, proxyInUse } from '../../http/carrier.js';
import type { Checksum } from './image-check.js';
import { isHostPattern } from './image-url.js';

/** Limits of a download. Image URLs come from the job and are not ours to trust. */
export interface DownloadLimits {
  /** Milliseconds for one try, from connecting to the last byte. */
  readonly timeoutMs: number;
  /** Larger images are refused. */
  readonly maxBytes: number;
  readonly maxRedirects: number;
  /** Tries in all. */
  readonly attempts: number;
  /**
   * Media types that count as an image, such as `image/*`; other answers are tried again. Default: any but text, JSON and XML, which are
   * the pages of logins, proxies and object stores. An answer without a type passes.
   */
  readonly contentTypes?: readonly string[] | undefined;
  /** What an image's bytes must hash to, if it is known from elsewhere; undefined skips the check. Default: no check. */
  readonly checksum?: ((task: Task) => Checksum | undefined) | undefined;
  /**
   * Hosts that images may come from, redirects included: `images.example.org`, `*.example.org` for those below it (not itself), each with
   * `:port` if only that one is meant. A task of another host fails at once. Default: any.
   */
  readonly hosts?: readonly string[] | undefined;
  /**
   * True refuses private, loopback and link-local addresses, in the URL and behind a name, redirects included; such a task fails at
   * once. The address that is connected to is checked, so it goes with neither a proxy nor a `fetch` of your own. Default false: image
   * hosts on private networks are common.
   */
  readonly publicOnly?: boolean | undefined;
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

const countSchema = z.int().positive();
const msSchema = z.number().positive();
const proxySchema = z
  .custom<string | false>(
    (value) => value === false || typeof value === 'string',
    'must be a URL, env or false',
  )
  .superRefine((proxy, context) => {
    const issues = proxy === false ? [] : carrierIssues({ proxy }, process.env);
    for (const { message } of issues) context.addIssue({ code: 'custom', message });
  });

/** Of the worker's option `download`. */
export const downloadSchema = z.strictObject({
  timeoutMs: msSchema.optional(),
  maxBytes: countSchema.optional(),
  maxRedirects: z.int().nonnegative().optional(),
  attempts: countSchema.optional(),
  contentTypes: z
    .array(
      z
        .string()
        .regex(
          /^(?:\*\/\*|[\w.+-]+\/(?:\*|[\w.+-]+))$/,
          'must be a media type, such as image/jpeg or image/*',
        ),
    )
    .min(1)
    .optional(),
  checksum: z.custom((value) => typeof value === 'function', 'must be a function').optional(),
  hosts: z
    .array(
      z.string().refine(isHostPattern, 'must be a host, such as images.example.org or *.example.org:8443'),
    )
    .min(1)
    .optional(),
  publicOnly: z.boolean().optional(),
  proxy: proxySchema.optional(),
});

/** @param clientProxy - of the client: whoever cannot reach the API without one seldom reaches the images. */
export function resolveDownload(
  given: Partial<DownloadLimits> | undefined,
  clientProxy: string | undefined,
): DownloadLimits {
  return { ...DOWNLOAD_DEFAULTS, ...given, proxy: given?.proxy ?? clientProxy };
}

/**
 * Why `publicOnly` cannot be kept, in words; undefined when it can, or is not asked for. A guard that guards nothing would be worse
 * than none.
 */
export function guardProblem(
  { publicOnly, proxy }: DownloadLimits,
  fetch: unknown,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (!publicOnly) return undefined;
  if (fetch !== undefined)
    return 'cannot be checked with a fetch of your own, which connects by itself: leave out one of them';
  if (process.versions.bun !== undefined)
    return 'cannot be checked on Bun, which shows no address before it connects: name the hosts in download.hosts, or run on Node or Deno';
  if (proxy !== undefined && proxy !== false && proxyInUse(proxy, env))
    return 'cannot be checked through a proxy, which connects by itself: have the proxy refuse such addresses, or set download.proxy to false';
  return undefined;
}
