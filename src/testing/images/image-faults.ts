import { assertKind } from '../check.js';
import type { FaultChain, FaultHandle } from '../faults/chain.js';
import { HttpFaults } from '../faults/http-faults.js';
import type { Scope } from '../faults/scope.js';
import type { Clock } from '../time/clock.js';

/** What can go wrong with a download: everything HTTP can do, and a server that lies. */
export class ImageFaults extends HttpFaults {
  readonly #chain: FaultChain;

  constructor(chain: FaultChain, clock: Clock) {
    super(chain, clock);
    this.#chain = chain;
  }

  /**
   * Announces another length than the image has: above it the connection is cut before the promised bytes, below it the
   * caller sees the image cut there and nothing wrong.
   * @param bytes - what `Content-Length` says.
   */
  lieAboutLength(bytes: number, scope: Scope = {}): FaultHandle {
    assertKind('bytes', bytes, 'number');
    return this.#chain.add(scope, async (_, next) => {
      const reply = await next();
      if (reply.kind !== 'answer') return reply;
      const body = Buffer.from(reply.response.body);
      const headers = { ...reply.response.headers, 'content-length': String(bytes) };
      const response = { ...reply.response, headers, body: body.subarray(0, bytes) };
      if (bytes <= body.length) return { kind: 'answer', response };
      return { kind: 'partial', response, sentBytes: body.length, then: 'reset' };
    });
  }

  /** Says the image is something else, by default an HTML page, and sends the image all the same. */
  lieAboutType(type = 'text/html', scope: Scope = {}): FaultHandle {
    return this.contentType(type, scope);
  }

  /** Sends other bytes under the image's type: by default an error page, as some object stores do with status 200. */
  corrupt(
    body: string | Uint8Array = '<html><body>Not an image</body></html>',
    scope: Scope = {},
  ): FaultHandle {
    return this.#chain.add(scope, async (_, next) => {
      const reply = await next();
      return reply.kind === 'answer' ? { ...reply, response: { ...reply.response, body } } : reply;
    });
  }
}
