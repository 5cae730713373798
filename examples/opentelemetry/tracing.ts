import { createHash } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Tracer,
} from '@opentelemetry/api';
import { REQUEST_CHANNELS, WORKER_CHANNELS, type RequestEvent, type WorkerSpan } from 'antenna-sdk';

/**
 * Makes a span of each piece of work of all workers in this process, and of each call of the server.
 * @returns a function that ends that.
 */
export function traceAntenna(tracer: Tracer): () => void {
  const stages = Object.entries(WORKER_CHANNELS).map(([stage, channel]) =>
    listen(channel, (message) => {
      const span = message as WorkerSpan;
      record(tracer, `antenna ${stage}`, {
        kind: SpanKind.INTERNAL,
        context: contextOf(span),
        durationMs: span.durationMs,
        failure: span.error,
        attributes: {
          'antenna.job.id': span.jobId,
          'antenna.image.id': span.imageId,
          'antenna.delivery': span.attempt,
          'antenna.tasks': span.tasks ?? 1,
        },
      });
    }),
  );
  // `start` and `retry` have no duration yet; what they tell is in the event at the end.
  const calls = [REQUEST_CHANNELS.end, REQUEST_CHANNELS.error].map((channel) =>
    listen(channel, (message) => {
      const call = message as RequestEvent;
      record(tracer, call.operation, {
        kind: SpanKind.CLIENT,
        context: ROOT_CONTEXT,
        durationMs: call.durationMs,
        failure: channel === REQUEST_CHANNELS.error ? (call.code ?? 'error') : undefined,
        attributes: {
          'http.request.method': call.method,
          'url.path': call.path,
          'http.response.status_code': call.status,
          'http.request.resend_count': call.attempts - 1,
          'antenna.request.id': call.requestId,
        },
      });
    }),
  );
  return () => {
    for (const stop of [...stages, ...calls]) stop();
  };
}

function listen(channel: string, listener: (message: unknown) => void): () => void {
  subscribe(channel, listener);
  return () => {
    unsubscribe(channel, listener);
  };
}

interface Work {
  readonly kind: SpanKind;
  readonly context: Context;
  readonly durationMs: number;
  readonly failure: string | undefined;
  readonly attributes: Attributes;
}

/** The channels tell when something has ended, with its duration: the span's beginning lies in the past. */
function record(tracer: Tracer, name: string, work: Work): void {
  const { kind, context, durationMs, failure, attributes } = work;
  const endTime = Date.now();
  const span = tracer.startSpan(name, { kind, startTime: endTime - durationMs, attributes }, context);
  if (failure !== undefined) {
    span.setAttribute('error.type', failure);
    span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
  }
  span.end(endTime);
}

/** The same trace for the same delivery of an image, without anything to remember: its id is a hash. */
function contextOf({ jobId, imageId, attempt }: WorkerSpan): Context {
  if (imageId === undefined) return ROOT_CONTEXT;
  const hash = createHash('sha256')
    .update(`${jobId}/${imageId}/${attempt ?? 0}`)
    .digest('hex');
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: hash.slice(0, 32),
    spanId: hash.slice(32, 48),
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  });
}
