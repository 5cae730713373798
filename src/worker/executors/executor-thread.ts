/** The file that a worker thread runs; see thread.ts for the other end. */
import type { MessagePort } from 'node:worker_threads';
import { HandlerHost } from './handler-host.js';
import type { ControlMessage, ProgressMessage, WireReady, WireReply, WireUnit } from './wire.js';
import { toWireError, type WireError } from './wire-error.js';

/** What a thread is given: a unit to run, or nothing but to get ready. `port` lives as long as the job. */
export interface ThreadJob {
  readonly module: string;
  readonly unit?: WireUnit | undefined;
  readonly port: MessagePort;
}

/** What it answers. */
export type ThreadAnswer =
  { readonly ready: WireReady; readonly reply?: WireReply | undefined } | { readonly startFailed: WireError };

let loading: ReturnType<typeof HandlerHost.load> | undefined;

/** Never rejects: an error that left this function would be taken for the death of the thread. */
export default async function run({ module, unit, port }: ThreadJob): Promise<ThreadAnswer> {
  const send = (message: ProgressMessage): void => {
    port.postMessage(message);
  };
  try {
    loading ??= HandlerHost.load(module, send);
    const { host, ready } = await loading;
    if (!unit) return { ready };
    port.on('message', (message: ControlMessage) => {
      host.control(message);
    });
    return { ready, reply: await host.call(unit, send) };
  } catch (error) {
    loading = undefined;
    return { startFailed: toWireError(error) };
  } finally {
    // The port closes with the thread as well: this message tells the one from the other.
    send({ type: 'ended' });
    port.close();
  }
}
