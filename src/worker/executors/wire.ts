import { deserialize, serialize } from 'node:v8';
import type { Logger } from '../../log/logger.js';
import type { ProcessContext, ProcessResult, TaskImage } from '../handler/handler.js';
import type { AbortKind } from './joined-signal.js';
import type { BatchOutcome } from './executor.js';
import { HandlerOutputError } from './execution-errors.js';
import type { HandlerMode } from './handlers.js';
import { fromWireError, toWireError, type WireError } from './wire-error.js';

/** An image on its way; a `Buffer` arrives as a plain `Uint8Array`. */
export type WireImage = Omit<TaskImage, 'bytes'> & { readonly bytes: Uint8Array };

/** A call on its way to a handler. */
export interface WireUnit {
  readonly images: readonly WireImage[];
  readonly config: Readonly<Record<string, unknown>>;
  /** Milliseconds of the lease that were left when it was sent. */
  readonly remainingMs: number;
}

/** What is told to a handler while it runs. */
export type ControlMessage =
  { readonly type: 'abort'; readonly kind: AbortKind } | { readonly type: 'stopping' };

/** What a handler's side tells while it runs. */
export type ProgressMessage =
  | { readonly type: 'started'; readonly fresh: boolean }
  | {
      readonly type: 'log';
      readonly level: keyof Logger;
      readonly fields: Readonly<Record<string, unknown>>;
      readonly message: string;
    }
  | { readonly type: 'ended' };

/** What a handler's side says when it is loaded and warm. */
export interface WireReady {
  readonly mode: HandlerMode;
  readonly warmMs: number | undefined;
}

/** The outcome of one image: a result already serialised, or an error. */
export type WireOutcome = { readonly result: Uint8Array } | { readonly error: WireError };

/** The answer to a call: outcomes, or the failure of the whole. */
export type WireReply = { readonly outcomes: readonly WireOutcome[] } | { readonly failed: WireError };

export function toWireUnit(images: readonly TaskImage[], context: ProcessContext): WireUnit {
  return {
    images: images.map(({ id, url, bytes, contentType, jobId, detections, task }) => ({
      ...{ id, url, bytes, contentType, jobId, detections, task },
    })),
    config: context.config,
    remainingMs: context.deadline.remainingMs(),
  };
}

export function fromWireImage(image: WireImage): TaskImage {
  const { buffer, byteOffset, byteLength } = image.bytes;
  return { ...image, bytes: Buffer.from(buffer, byteOffset, byteLength) };
}

/**
 * A result is serialised here and not by the channel: what cannot be cloned (a function, a native handle) must be that image's
 * error, and a channel that meets it throws for the whole batch, or ends the thread.
 */
export function toWireOutcome(outcome: BatchOutcome): WireOutcome {
  if (!outcome.ok) return { error: toWireError(outcome.error) };
  try {
    return { result: serialize(outcome.result) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { error: toWireError(new HandlerOutputError(`the result cannot be sent to the worker: ${why}`)) };
  }
}

function fromWireOutcome(outcome: WireOutcome): BatchOutcome {
  if ('error' in outcome) return { ok: false, error: fromWireError(outcome.error) };
  return { ok: true, result: deserialize(outcome.result) as ProcessResult };
}

/** @throws the failure of the whole. */
export function fromWireReply(reply: WireReply): BatchOutcome[] {
  if ('failed' in reply) throw fromWireError(reply.failed);
  return reply.outcomes.map(fromWireOutcome);
}
