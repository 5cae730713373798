/**
 * Calls `run` when the signal aborts, at once if it has already.
 * @returns a function that takes the listener away.
 */
export function relay(signal: AbortSignal | undefined, run: () => void): () => void {
  if (signal?.aborted) run();
  else signal?.addEventListener('abort', run, { once: true });
  return () => {
    signal?.removeEventListener('abort', run);
  };
}
