import { channel } from 'node:diagnostics_channel';
import type { TimeoutPhase } from '../errors/connection.js';

/**
 * Names of the `node:diagnostics_channel` channels. Each message is a {@link RequestEvent}; none holds a header, a body, a query or
 * a credential. Nothing is built while nobody listens.
 */
export const REQUEST_CHANNELS = {
  /** A call begins, before its credential is asked for. */
  start: 'antenna-sdk:request:start',
  /** An attempt failed and another follows after `delayMs`. */
  retry: 'antenna-sdk:request:retry',
  /** The call succeeded. */
  end: 'antenna-sdk:request:end',
  /** The call failed for good; `code` is the error's. */
  error: 'antenna-sdk:request:error',
} as const;

/** Milliseconds spent in each phase of the last attempt; a phase that was not reached is absent. */
export type PhaseTimings = Partial<Record<'token' | 'connect' | 'headers' | 'body' | 'parse', number>>;

/** What the channels carry. */
export interface RequestEvent {
  readonly operation: string;
  readonly method: string;
  /** Path below the base URL, without query. */
  readonly path: string;
  readonly requestId: string;
  /** Attempts so far. */
  readonly attempts: number;
  /** Milliseconds since the call began. */
  readonly durationMs: number;
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  readonly delayMs?: number | undefined;
  /** Size of the request's body. */
  readonly bytesSent?: number | undefined;
  readonly phases?: PhaseTimings | undefined;
}

const channels = {
  start: channel(REQUEST_CHANNELS.start),
  retry: channel(REQUEST_CHANNELS.retry),
  end: channel(REQUEST_CHANNELS.end),
  error: channel(REQUEST_CHANNELS.error),
};

/** Publishes an event if anybody listens. A subscriber that throws is Node's to report; it cannot fail the request. */
export function publish(kind: keyof typeof channels, build: () => RequestEvent): void {
  if (channels[kind].hasSubscribers) channels[kind].publish(build());
}

/** When each phase of an attempt was entered, on the monotonic clock. */
export type PhaseMarks = Partial<Record<TimeoutPhase | 'parse', number>>;

/** Turns the marks into durations. */
export function phaseTimings(marks: PhaseMarks): PhaseTimings {
  const order = ['token', 'connect', 'headers', 'body', 'parse', 'total'] as const;
  const reached = order.filter((phase) => marks[phase] !== undefined);
  const timings: PhaseTimings = {};
  reached.forEach((phase, index) => {
    const next = reached[index + 1];
    const start = marks[phase];
    const end = next === undefined ? undefined : marks[next];
    if (phase !== 'total' && start !== undefined && end !== undefined) timings[phase] = end - start;
  });
  return timings;
}
