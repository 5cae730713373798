import { checkArguments, hasMethods } from '../../errors/arguments.js';
import type { AntennaClient } from '../../client/client.js';
import { stopSignals } from '../../system/stop-signals.js';
import { within } from '../../time/within.js';
import type { WorkerReport } from '../task/outcome.js';

/**
 * Listens for SIGTERM and SIGINT: the first asks for a graceful stop, the second for an immediate one, after which the process
 * reports the signal in its exit code. On Windows also for SIGBREAK (Ctrl-Break) and SIGHUP (the console's window is closed, after which
 * Windows ends the process within seconds); nothing can send SIGTERM there.
 * @returns a function that takes the listeners away.
 */
export function onTermination(handlers: {
  readonly graceful: (signal: string) => void;
  readonly immediate: (signal: string) => void;
}): () => void {
  checkArguments({ handlers }, { handlers: hasMethods('graceful', 'immediate') });
  const codes = stopSignals();
  let received = 0;
  const listener = (signal: NodeJS.Signals): void => {
    received += 1;
    if (received === 1) {
      handlers.graceful(signal);
      return;
    }
    process.exitCode = codes[signal];
    handlers.immediate(signal);
  };
  const signals = Object.keys(codes) as NodeJS.Signals[];
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

/** Something to be done when a run has ended. */
export type TerminateHook = (report: WorkerReport) => unknown;

/** How long hooks are waited for: a run always ends. */
const HOOK_WAIT_MS = 5_000;

/** Hooks at the end of a run. One that throws or hangs is logged and stops nothing. */
export class TerminateHooks {
  readonly #client: AntennaClient;
  readonly #hooks = new Set<TerminateHook>();

  constructor(client: AntennaClient) {
    this.#client = client;
  }

  /** @returns a function that takes the hook away. */
  add(hook: TerminateHook): () => void {
    this.#hooks.add(hook);
    return () => {
      this.#hooks.delete(hook);
    };
  }

  /** Calls all hooks. Never throws. */
  async call(report: WorkerReport): Promise<void> {
    if (this.#hooks.size === 0) return;
    const all = Promise.all([...this.#hooks].map((hook) => this.#callOne(hook, report)));
    await within(this.#client.clock, HOOK_WAIT_MS, all);
  }

  async #callOne(hook: TerminateHook, report: WorkerReport): Promise<void> {
    try {
      await hook(report);
    } catch (error) {
      this.#client.logger.error({ error }, 'a terminate hook threw');
    }
  }
}
