import { channel } from 'node:diagnostics_channel';

/**
 * Names of the `node:diagnostics_channel` channels on which each stage publishes when it has done a piece of work. Nothing is built
 * while nobody listens.
 */
export const WORKER_CHANNELS = {
  reserve: 'antenna-sdk:worker:reserve',
  download: 'antenna-sdk:worker:download',
  process: 'antenna-sdk:worker:process',
  encode: 'antenna-sdk:worker:encode',
  post: 'antenna-sdk:worker:post',
} as const;

/** What the channels carry. */
export interface WorkerSpan {
  readonly jobId: number;
  /** For stages that handle one image. */
  readonly imageId?: string | undefined;
  /** Number of the delivery, if it could be read. */
  readonly attempt?: number | undefined;
  /** Tasks in this piece of work. Default 1. */
  readonly tasks?: number | undefined;
  readonly durationMs: number;
  /** Code or name of the failure; absent after a success. */
  readonly error?: string | undefined;
}

const channels = {
  reserve: channel(WORKER_CHANNELS.reserve),
  download: channel(WORKER_CHANNELS.download),
  process: channel(WORKER_CHANNELS.process),
  encode: channel(WORKER_CHANNELS.encode),
  post: channel(WORKER_CHANNELS.post),
};

/** Publishes a span if anybody listens. */
export function publishSpan(stage: keyof typeof channels, build: () => WorkerSpan): void {
  if (channels[stage].hasSubscribers) channels[stage].publish(build());
}
