import { HttpResponse, http } from 'msw';
import type { HttpHandler } from 'msw';
import type { Exchange } from '../messages.js';
import { toRecord, toResponse } from './web.js';

/** Handlers for `setupServer(...handlers)`, for everything under the base URL's origin. */
export function createHandlers(exchange: Exchange, baseUrl: string): HttpHandler[] {
  const { origin } = new URL(baseUrl);
  return [
    http.all(`${origin}/*`, async ({ request }) => {
      const reply = await exchange(await toRecord(request));
      if (reply.kind === 'reset') return HttpResponse.error();
      if (reply.kind === 'silence') return await new Promise<never>(() => undefined);
      return toResponse(reply);
    }),
  ];
}
