import type { Dispatcher } from 'undici';

/**
 * Finds out, without sending anything, whether a dispatcher speaks the handler interface of undici 7. One of an older major fails on
 * every request, with a message about a method that no user has heard of.
 *
 * @returns why it cannot be used, or undefined.
 */
export function dispatcherProblem(dispatcher: unknown): string | undefined {
  if (typeof dispatcher !== 'object' || dispatcher === null || !('dispatch' in dispatcher)) {
    if (process.versions.bun !== undefined)
      return 'cannot be given on Bun, whose undici has no dispatchers; give proxy or fetch';
    return 'must be an undici Dispatcher (Agent, Pool, ProxyAgent, MockAgent …)';
  }
  try {
    // Without an origin nothing can be sent: a dispatcher of undici 7 reports that to the handler, an older one
    // first trips over the handler itself.
    (dispatcher as Dispatcher).dispatch({} as Dispatcher.DispatchOptions, {
      onRequestStart: () => undefined,
      onResponseStart: () => undefined,
      onResponseData: () => undefined,
      onResponseEnd: () => undefined,
      onResponseError: () => undefined,
    });
  } catch (error) {
    if (/\bonError\b|\bonConnect\b|handler/.test(String(error))) {
      return 'comes from another major version of undici; create it with undici 7';
    }
  }
  return undefined;
}
