import type { AntennaClient } from '../../client/client.js';
import { within } from '../../time/within.js';
import type { WorkerReport } from '../task/report.js';

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
