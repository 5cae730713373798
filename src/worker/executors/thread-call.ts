import { MessageChannel } from 'node:worker_threads';
import type { Tinypool } from 'tinypool';
import type { TaskImage } from '../handler/handler.js';
import { deferred } from './joined-signal.js';
import type { BatchContext } from './executor.js';
import { HandlerCrashError, HandlerStartError } from './execution-errors.js';
import type { ThreadAnswer, ThreadJob } from './executor-thread.js';
import { relay } from './relay.js';
import { Supervision, type SupervisionOptions } from './supervise.js';
import { toWireUnit, type ProgressMessage, type WireReady, type WireReply } from './wire.js';

/** What a call in a thread needs. */
export interface ThreadCall {
  readonly pool: Tinypool;
  readonly module: string;
  /** Empty: only load the module. */
  readonly unit: readonly TaskImage[];
  readonly context: BatchContext;
  readonly limits: Omit<SupervisionOptions, 'abort' | 'kill'>;
}

/** A thread's port closes a little before its error arrives, which knows better why it died. With more to do than cores, 100 ms were too few. */
const OBITUARY_MS = 500;

/** The answer, and why the call was aborted, if it was. */
export interface ThreadCallResult {
  readonly answer: { readonly ready: WireReady; readonly reply?: WireReply | undefined };
  readonly verdict: Error | undefined;
}

/**
 * One call of a handler in a thread of the pool.
 *
 * A port of its own goes with every call, for aborts one way and log lines the other. It closes when the thread dies, which is the
 * only sign of a `process.exit` in a handler: pools wait for an `error` event, and none comes.
 * @throws HandlerCrashError, HandlerStartError, HandlerTimeoutError, HandlerAbortError.
 */
export async function callThread(call: ThreadCall): Promise<ThreadCallResult> {
  const { port1, port2 } = new MessageChannel();
  const end = new AbortController();
  const closed = deferred<undefined>();
  const seen: Seen = { started: false, fresh: true, ended: false };
  let killedBy: Error | undefined;
  const supervision = new Supervision({
    ...call.limits,
    abort: ({ kind }) => {
      port1.postMessage({ type: 'abort', kind });
    },
    kill: (error) => {
      killedBy = error;
      end.abort();
    },
  });
  const unlisten = relay(call.context.stopping, () => {
    port1.postMessage({ type: 'stopping' });
  });
  port1.on('message', (message: ProgressMessage) => {
    observe(message, seen, call.context, supervision);
  });
  port1.on('close', () => {
    closed.resolve(undefined);
    if (!seen.ended)
      call.limits.clock.schedule(OBITUARY_MS, () => {
        end.abort();
      });
  });
  const job = shipment(call);
  try {
    const transferList = [port2, ...job.transfer];
    const options = { transferList, signal: end.signal };
    const answer = (await call.pool.run(
      { ...job.payload, port: port2 } satisfies ThreadJob,
      options,
    )) as ThreadAnswer;
    if ('startFailed' in answer)
      throw new HandlerStartError(`the handler cannot be loaded: ${answer.startFailed.message}`);
    // Log lines are on their way until the port has closed.
    await closed.promise;
    return { answer, verdict: supervision.verdict };
  } catch (error) {
    if (killedBy) throw killedBy;
    if (error instanceof HandlerStartError) throw error;
    const why = end.signal.aborted ? 'it exited' : describe(error);
    // What the thread said last is on its way until the port has closed.
    port2.close();
    await closed.promise;
    throw supervision.verdict ?? deathOf(error, why, { ...seen, fresh: seen.fresh || job.given });
  } finally {
    seen.ended = true;
    supervision.dispose();
    unlisten();
    port1.close();
  }
}

function deathOf(cause: unknown, why: string, seen: Seen): Error {
  if (!seen.started)
    return new HandlerStartError(`the handler's thread died at its start: ${why}`, { cause });
  return new HandlerCrashError(`the handler's thread died: ${why}`, { fresh: seen.fresh, cause });
}

/** What a thread has said so far. */
interface Seen {
  started: boolean;
  fresh: boolean;
  ended: boolean;
}

function observe(
  message: ProgressMessage,
  seen: Seen,
  { logger }: BatchContext,
  supervision: Supervision,
): void {
  if (message.type === 'log') logger[message.level](message.fields, message.message);
  else if (message.type === 'ended') seen.ended = true;
  else {
    seen.started = true;
    seen.fresh = message.fresh;
    supervision.started();
  }
}

/** The job's data, and what of it is moved. A copy is made here and moved, because a cloning channel copies twice. */
function shipment(call: ThreadCall): {
  readonly payload: Omit<ThreadJob, 'port'>;
  readonly transfer: ArrayBuffer[];
  /** True if the caller's bytes are gone. */
  readonly given: boolean;
} {
  const { unit, context, module } = call;
  if (unit.length === 0) return { payload: { module }, transfer: [], given: false };
  const wire = toWireUnit(unit, context);
  const transfer: ArrayBuffer[] = [];
  let given = false;
  const images = wire.images.map((image) => {
    const { buffer, byteOffset, byteLength } = image.bytes;
    const owned = byteOffset === 0 && byteLength === buffer.byteLength && buffer instanceof ArrayBuffer;
    const moves = context.transferBytes === true && unit.length === 1 && owned;
    given ||= moves;
    const bytes = moves ? new Uint8Array(buffer) : new Uint8Array(image.bytes);
    transfer.push(bytes.buffer);
    return { ...image, bytes };
  });
  return { payload: { module, unit: { ...wire, images } }, transfer, given };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
