import { z } from 'zod';
import { issuesOf } from '../../../resources/core.js';
import type { AbortKind } from '../joined-signal.js';
import { FrameError } from './frames.js';

/** The version of the protocol in docs/handlers-outside-node.md. A change that an old handler would misread makes a new one. */
export const HANDLER_PROTOCOL = 1;

/** What an image's `bytes` of a `process` message cuts out of the payload, with what is known of the image. */
export interface ImageHeader {
  readonly id: string;
  /** Without its query, which may be a permission. */
  readonly url: string;
  readonly bytes: number;
  readonly content_type: string | null;
  readonly job_id: number;
  /** Boxes that the server knows already and wants classified again; left out if there are none. */
  readonly detections?: readonly unknown[] | undefined;
}

/** What the worker says. */
export type ToHandler =
  | { readonly type: 'welcome'; readonly protocol: number; readonly software: string }
  | {
      readonly type: 'process';
      readonly call: number;
      readonly pipeline: string | null;
      readonly images: readonly ImageHeader[];
      readonly config: Readonly<Record<string, unknown>>;
      /** Milliseconds until the server gives the tasks to somebody else; null for never. */
      readonly deadline_ms: number | null;
      readonly timeout_ms: number;
    }
  | { readonly type: 'cancel'; readonly call: number; readonly reason: AbortKind }
  | { readonly type: 'stopping' }
  | { readonly type: 'bye'; readonly reason: string };

const callSchema = z.int().nonnegative();
const errorSchema = z.object({
  /** Left out: a failure of which the handler knows no more; the image is tried once more. */
  kind: z.enum(['permanent', 'retryable', 'out_of_memory', 'error']).default('error'),
  name: z.string().default('Error'),
  message: z.string(),
  /** Where it happened: the last lines of a traceback. Logged here, never sent on. */
  where: z.string().optional(),
});
/** A typed error, of one image or of a batch. */
export type HandlerFault = z.infer<typeof errorSchema>;

const fromHandlerSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    protocol: z.int(),
    software: z.string().default('unknown'),
    token: z.string().optional(),
  }),
  z.object({
    type: z.literal('ready'),
    mode: z.enum(['image', 'batch']).default('image'),
    batch_size: z.int().positive().optional(),
    image_ms: z.number().positive().optional(),
    warm_up_ms: z.number().nonnegative().optional(),
    /** Calls that it takes while it works on one. Handlers that know nothing of this are asked one after the other. */
    ahead: z.int().nonnegative().default(0),
    pipelines: z.array(z.record(z.string(), z.unknown())).default([]),
  }),
  z.object({
    type: z.literal('answer'),
    call: callSchema,
    id: z.string(),
    result: z.unknown().optional(),
    error: errorSchema.optional(),
  }),
  z.object({
    type: z.literal('done'),
    call: callSchema,
    rss_bytes: z.number().nonnegative().optional(),
    error: errorSchema.optional(),
  }),
  z.object({
    type: z.literal('log'),
    level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    message: z.string(),
  }),
  z.object({
    type: z.literal('progress'),
    done: z.number(),
    of: z.number().optional(),
    message: z.string().optional(),
  }),
  z.object({
    type: z.literal('bye'),
    reason: z.string().default('no reason given'),
    /** The last call that it has begun. Those that were sent after it are made again elsewhere. */
    last_call: callSchema.optional(),
  }),
]);
/** What a handler says. */
export type FromHandler = z.infer<typeof fromHandlerSchema>;
/** What a handler says of itself once it is warm. */
export type HandlerReady = Extract<FromHandler, { readonly type: 'ready' }>;

/** @throws FrameError that names what is wrong with a message. */
export function readMessage(header: unknown): FromHandler {
  if (isResult(header)) return header;
  const parsed = fromHandlerSchema.safeParse(header);
  if (parsed.success) return parsed.data;
  const issues = issuesOf(parsed.error).map(({ path, message }) => (path ? `${path}: ${message}` : message));
  const { type = null } = Object(header) as { readonly type?: unknown };
  throw new FrameError(`a message of type ${JSON.stringify(type)} does not fit: ${issues.join('; ')}`);
}

/** The one message that comes for every image, whose check by the schema was a twelfth of what a call costs. */
function isResult(header: unknown): header is Extract<FromHandler, { readonly type: 'answer' }> {
  const { type, call, id, error } = Object(header) as Readonly<Record<string, unknown>>;
  return (
    type === 'answer' &&
    typeof id === 'string' &&
    error === undefined &&
    Number.isSafeInteger(call) &&
    Number(call) >= 0
  );
}
