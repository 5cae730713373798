import type { WorkerMetrics } from './metrics.js';
import type { WorkerCounters } from './snapshot.js';

/** The events that metrics are made of, with the fields they need. A worker's own events have more of both. */
export interface RecordedEvents {
  reserved: { readonly count: number; readonly durationMs: number };
  empty: object;
  redelivered: object;
  lease_expired: object;
  task_started: { readonly slackMs: number };
  downloaded: { readonly bytes: number; readonly durationMs: number };
  batch_done: { readonly durationMs: number };
  batch_limit: { readonly reason: string };
  task: {
    readonly outcome: 'success' | 'error' | 'lapsed';
    readonly attempt?: number | undefined;
    readonly encodeMs?: number;
  };
  posted: {
    readonly count: number;
    readonly bytes: number;
    readonly durationMs: number;
    readonly slackMs: readonly number[];
  };
  post_retry: object;
  split: object;
  spooled: { readonly count: number };
  replayed: { readonly count: number };
  abandoned: { readonly tasks: readonly unknown[] };
  settled: { readonly fate: string };
  stall: object;
  left_out: object;
  error: object;
}

/** Anything that tells events by name. */
export interface EventSource<Events> {
  /** @returns a function that takes the listener away. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void;
}

const OUTCOMES: Readonly<Record<RecordedEvents['task']['outcome'], keyof WorkerCounters>> = {
  success: 'succeeded',
  error: 'failed',
  lapsed: 'lapsed',
};

/**
 * Feeds metrics from a worker's events.
 * @returns a function that takes the listeners away.
 */
export function recordEvents(source: EventSource<RecordedEvents>, metrics: WorkerMetrics): () => void {
  const counting = (name: keyof RecordedEvents, counter: keyof WorkerCounters): (() => void) =>
    source.on(name, () => {
      metrics.count(counter);
    });
  const unlisten = [
    counting('empty', 'emptyReplies'),
    counting('redelivered', 'redelivered'),
    counting('lease_expired', 'expired'),
    counting('post_retry', 'postRetries'),
    counting('split', 'splits'),
    counting('stall', 'stalls'),
    counting('left_out', 'leftOut'),
    counting('error', 'errors'),
    source.on('reserved', ({ count, durationMs }) => {
      metrics.count('reserved', count);
      metrics.observe('reserve', durationMs);
    }),
    source.on('downloaded', ({ bytes, durationMs }) => {
      metrics.count('downloadedBytes', bytes);
      metrics.observe('download', durationMs);
    }),
    source.on('batch_done', ({ durationMs }) => {
      metrics.observe('process', durationMs);
    }),
    source.on('batch_limit', ({ reason }) => {
      if (reason !== 'grown') metrics.count('batchCuts');
    }),
    source.on('task', ({ outcome, attempt, encodeMs }) => {
      metrics.count(OUTCOMES[outcome]);
      if (encodeMs !== undefined) metrics.observe('encode', encodeMs);
      metrics.delivery(attempt);
    }),
    source.on('posted', ({ count, bytes, durationMs, slackMs }) => {
      metrics.count('posted', count);
      metrics.count('postedBytes', bytes);
      metrics.observe('post', durationMs);
      for (const remainingMs of slackMs) metrics.slack('post', remainingMs);
    }),
    source.on('task_started', ({ slackMs }) => {
      metrics.slack('start', slackMs);
    }),
    source.on('spooled', ({ count }) => {
      metrics.count('spooled', count);
    }),
    source.on('replayed', ({ count }) => {
      metrics.count('replayed', count);
    }),
    source.on('abandoned', ({ tasks }) => {
      metrics.count('abandoned', tasks.length);
    }),
    source.on('settled', ({ fate }) => {
      if (fate === 'dropped') metrics.count('dropped');
    }),
  ];
  return () => {
    for (const stop of unlisten) stop();
  };
}
