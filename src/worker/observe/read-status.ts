import { z } from 'zod';
import { AntennaError } from '../../errors/base.js';
import {
  checkArguments,
  checkOptions,
  isDuration,
  isFunction,
  isA,
  type Check,
} from '../../errors/arguments.js';
import { createFetchTransport, type FetchLike } from '../../http/fetch-transport.js';
import { describeFailure } from '../../http/failure.js';
import { TransportFailure, type TransportResponse } from '../../http/transport.js';
import { systemClock } from '../../time/clock.js';
import { Deadline } from '../../time/deadline.js';
import type { MachineOverview } from './status.js';

/** Options of {@link readStatus}. */
export interface ReadStatusOptions {
  /** Milliseconds until it is given up. Default 5,000. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** In place of the global `fetch`, for tests. */
  readonly fetch?: FetchLike | undefined;
}

const OPTIONS: { readonly [Name in keyof Required<ReadStatusOptions>]: Check } = {
  timeoutMs: isDuration,
  signal: isA(AbortSignal),
  fetch: isFunction,
};

const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Reads what workers on another machine, or in another process, are doing: the `/status.json` of a health port.
 * @param url - of the port, such as `http://10.0.0.7:8080`; with a path, if a proxy stands before it.
 * @throws AntennaConfigError for an address that is none, or has a password in it.
 * @throws AntennaError `status_unreachable` when nothing answers, `status_unreadable` when what answers is no status of ours.
 */
export async function readStatus(url: string, options: ReadStatusOptions = {}): Promise<MachineOverview> {
  checkArguments({ url }, { url: isAddress });
  checkOptions('Invalid readStatus options', options, OPTIONS);
  const address = statusAddress(url);
  const { status, body } = await get(address, options);
  if (status !== 200) throw unreadable(address, `it answers ${status}`);
  let content: unknown;
  try {
    content = JSON.parse(body.toString());
  } catch {
    throw unreadable(address, 'it answers with something that is not JSON');
  }
  const parsed = machineSchema.safeParse(content);
  // Loose, and checked for what everybody shows: a worker of a later version may tell more.
  if (parsed.success) return parsed.data as unknown as MachineOverview;
  throw unreadable(address, `${parsed.error.issues[0]?.path.join('.') || 'the whole'} is not as expected`);
}

async function get(url: URL, options: ReadStatusOptions): Promise<TransportResponse> {
  const { timeoutMs = 5_000, signal, fetch: given = fetch } = options;
  const deadline = new Deadline({ clock: systemClock, timeoutMs, signal });
  try {
    const transport = createFetchTransport(given, MAX_BYTES);
    const enter = (): void => undefined;
    return await transport.send({ method: 'GET', url, headers: {}, body: undefined, deadline, enter });
  } catch (error) {
    if (signal?.aborted === true) throw deadline.reason ?? error;
    const why = deadline.reason
      ? `no answer in ${timeoutMs} ms`
      : describeFailure(error instanceof TransportFailure ? (error.cause ?? error) : error).reason;
    const message = `No worker answers at ${url.href} (${why}): is it running with a health port, and may this machine reach it?`;
    throw new AntennaError({ code: 'status_unreachable', message });
  } finally {
    deadline.dispose();
  }
}

function unreadable(url: URL, why: string): AntennaError {
  const message = `What answers at ${url.href} is no worker's health port: ${why}`;
  return new AntennaError({ code: 'status_unreadable', message });
}

const isAddress: Check = (value) => {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  return url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
    ? undefined
    : 'must be an http or https address without user and password, such as http://10.0.0.7:8080';
};

function statusAddress(text: string): URL {
  const url = new URL(text);
  url.search = '';
  url.hash = '';
  if (!url.pathname.endsWith('/status.json'))
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/status.json`;
  return url;
}

const number = z.number();
const text = z.string();
const jobSchema = z.looseObject({
  ...{ id: number, name: text.optional(), pipeline: text, open: z.boolean() },
  ...{ done: number.optional(), failed: number.optional(), total: number.optional() },
  ...{ perSecond: number.optional(), leftMs: number.optional() },
  mine: z.looseObject({ succeeded: number, failed: number }),
});
const workerSchema = z.looseObject({
  ...{ name: text, state: text, health: z.enum(['ok', 'degraded', 'stuck']), explanation: text },
  ...{ device: text.optional(), perSecond: number.optional(), startedAt: text },
  failing: z.array(z.looseObject({ name: text, detail: text })),
  counters: z.looseObject({ succeeded: number, failed: number, posted: number, reserved: number }),
  held: z.looseObject({ count: number, bytes: number }),
  hold: z.looseObject({ target: number }).optional(),
  outbox: z.looseObject({ count: number, bytes: number }),
  spool: z.looseObject({ files: number, bytes: number }).optional(),
  jobs: z.array(jobSchema),
  failures: z.array(
    z.looseObject({ at: text, jobId: number, imageId: text, final: z.boolean(), reason: text }),
  ),
  images: z.array(z.looseObject({ at: text, jobId: number, imageId: text, url: text })),
});
const machineSchema = z.looseObject({
  ...{ software: text, hostname: text, now: text, gpus: z.array(text), view: z.boolean() },
  workers: z.array(workerSchema),
});
