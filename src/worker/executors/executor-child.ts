/** The file that a child process runs; see child.ts for the other end. */
import process from 'node:process';
import { ignoreStopSignals } from '../../system/stop-signals.js';
import { HandlerHost } from './handler-host.js';
import type { ControlMessage, ProgressMessage, WireReady, WireReply, WireUnit } from './wire.js';
import { toWireError, type WireError } from './wire-error.js';

/** What a child is told. */
export type ToChild = { readonly type: 'unit'; readonly unit: WireUnit } | ControlMessage;

/** What a child tells. `rssBytes` is its resident size after the call. */
export type FromChild =
  | ProgressMessage
  | { readonly type: 'ready'; readonly ready: WireReady }
  | { readonly type: 'start-failed'; readonly error: WireError }
  | { readonly type: 'reply'; readonly reply: WireReply; readonly rssBytes: number };

function send(message: FromChild): void {
  // The parent may be gone; then `disconnect` ends this process.
  if (process.connected) process.send?.(message);
}

// A terminal and systemd signal the whole group. The parent decides when a handler ends: on the first signal it wants to finish.
ignoreStopSignals();
// Without a parent nobody wants the result.
process.on('disconnect', () => {
  process.exit(0);
});

async function main(module: string): Promise<void> {
  const { host, ready } = await HandlerHost.load(module, send);
  process.on('message', (message: ToChild) => {
    if (message.type !== 'unit') {
      host.control(message);
      return;
    }
    void host.call(message.unit, send).then((reply) => {
      send({ type: 'reply', reply, rssBytes: process.memoryUsage.rss() });
    });
  });
  send({ type: 'ready', ready });
}

main(process.argv[2] ?? '').catch((error: unknown) => {
  send({ type: 'start-failed', error: toWireError(error) });
});
