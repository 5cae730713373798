import type { Logger } from '../log/logger.js';
import type { Clock } from '../time/clock.js';
import { HandlerStartError } from '../worker/executors/execution-errors.js';
import { ProcessGroup } from '../worker/executors/process-group.js';
import { backOff, respawnDelayMs } from '../worker/executors/respawn.js';
import { BRIDGE_DEFAULTS } from './defaults.js';

/** A command that serves the push API. */
export interface StartOptions {
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  /** Default: that of this process. */
  readonly cwd?: string | undefined;
  /** Variables added to those of this process, less the worker's credentials. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** The service's process: started when it is needed, again when it died, and ended with all that it has started. */
export class ServiceChild {
  readonly #options: StartOptions & { readonly logger: Logger; readonly clock: Clock };
  readonly #random: () => number;
  #group: ProcessGroup | undefined;
  #everReady = false;
  #deaths = 0;
  #starts = 0;

  constructor(
    options: StartOptions & { readonly logger: Logger; readonly clock: Clock },
    random: () => number,
  ) {
    this.#options = options;
    this.#random = random;
  }

  /** How often it was started. */
  get starts(): number {
    return this.#starts;
  }

  get pid(): number | undefined {
    return this.#group?.pid;
  }

  /** Its last lines, for an error. */
  get lastWords(): string {
    const lines = this.#group?.lastLines ?? [];
    return lines.length === 0 ? 'it printed nothing' : `it printed last: ${lines.join(' | ')}`;
  }

  /**
   * Makes sure that it runs, with a growing wait between two starts.
   * @throws HandlerStartError when it ended before it was ever ready: nothing will come of starting it again. The signal's reason when it
   * aborts.
   */
  async running(signal: AbortSignal): Promise<void> {
    if (this.#group?.alive) return;
    if (this.#group && !this.#everReady) {
      const how = await this.#group.exited;
      throw new HandlerStartError(
        `the service could not be started (${this.#options.command}: ${how}); ${this.lastWords}`,
      );
    }
    await backOff(this.#options.clock, respawnDelayMs(this.#deaths, this.#random), signal);
    if (signal.aborted) throw signal.reason;
    this.#start();
  }

  /** It answered. */
  ready(): void {
    this.#everReady = true;
  }

  /** A call went well: what was wrong with it before is over. */
  proved(): void {
    this.#deaths = 0;
  }

  /** It hangs. */
  kill(): void {
    this.#group?.kill();
  }

  async end(): Promise<void> {
    const group = this.#group;
    this.#group = undefined;
    await group?.end(this.#options.clock, BRIDGE_DEFAULTS.stopGraceMs);
  }

  #start(): void {
    const { logger } = this.#options;
    this.#starts += 1;
    const group = new ProcessGroup(this.#options);
    this.#group = group;
    void group.exited.then((how) => {
      if (this.#group !== group) return;
      this.#deaths += 1;
      logger.warn({ reason: how, issues: [...group.lastLines] }, 'a push service died');
    });
  }
}
