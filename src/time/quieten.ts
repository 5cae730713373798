import { setMaxListeners } from 'node:events';

const quietened = new WeakSet<AbortSignal>();

/** A worker's shutdown signal serves dozens of calls at once; Node would call that a leak from the eleventh on, on standard error. */
export function quieten(signal: AbortSignal): void {
  if (quietened.has(signal)) return;
  quietened.add(signal);
  if (signal instanceof EventTarget) setMaxListeners(0, signal);
}
