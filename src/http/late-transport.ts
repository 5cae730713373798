import { late } from '../time/late.js';
import type { Transport } from './transport.js';

/** A transport that is loaded with the first request: until then, and in a client that never sends one, nobody needs it. */
export function lateTransport(load: () => Promise<Transport>): Transport {
  let loaded: Transport | undefined;
  const ready = late(async () => (loaded = await load()));
  return {
    async send(request) {
      const transport = loaded ?? (await ready());
      // What ended while it was loaded is not sent.
      request.deadline.throwIfEnded();
      return transport.send(request);
    },
    async close() {
      await loaded?.close();
    },
  };
}
