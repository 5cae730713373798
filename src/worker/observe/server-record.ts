import { AntennaError } from '../../errors/base.js';
import { AntennaContractError } from '../../errors/contract.js';
import { CredentialError } from '../../errors/credential.js';
import { AuthenticationError, PermissionDeniedError } from '../../errors/api.js';
import type { ServerTrouble } from './health.js';

/** What a worker asks the server for. */
export type Asking = 'registering' | 'listing' | 'reserving';

/** Failures in a row of one kind of request for one project or job. */
interface Streak {
  readonly asking: Asking;
  readonly scope: number | undefined;
  readonly sinceMs: number;
  readonly isRefusal: boolean;
  times: number;
  reason: string;
}

/** Streaks that are kept; more say nothing that these do not. */
const MAX_STREAKS = 100;
/** Once may be a proxy that restarts; a second answer of that kind is a state. */
const AGAIN = 2;
/** Longest reason in words. */
const MAX_REASON_CHARS = 300;
const SCOPES: Readonly<Record<Asking, string>> = {
  registering: 'project',
  listing: 'project',
  reserving: 'job',
};

/**
 * Remembers what waiting does not mend: answers that break the contract, and credentials that are refused. A server that answers
 * nonsense looks alive, and a worker that polls it looks busy; without this record health would say ok while nothing can be done.
 */
export class ServerRecord {
  readonly #streaks = new Map<string, Streak>();
  readonly #wellAt = new Map<Asking, number>();
  readonly #served = new Set<number>();
  #listed: ReadonlySet<number> = new Set();
  #lastFailure: string | undefined;

  /** The last failure of any kind since the server last answered well, in words; undefined if there was none. */
  get lastFailure(): string | undefined {
    return this.#lastFailure;
  }

  /** A request was answered as it should be. @param scope - the project or job, if it was about one. */
  well(asking: Asking, scope: number | undefined, nowMs: number): void {
    this.#lastFailure = undefined;
    this.#wellAt.set(asking, nowMs);
    this.#streaks.delete(keyOf(asking, scope));
    if (asking !== 'reserving' || scope === undefined) return;
    this.#served.add(scope);
  }

  /** A request failed. */
  failed(asking: Asking, scope: number | undefined, error: unknown, nowMs: number): void {
    // Of ours alone: what other errors say may be anything.
    const reason = (error instanceof AntennaError ? error.message : 'an unexpected error').slice(
      0,
      MAX_REASON_CHARS,
    );
    this.#lastFailure = `${asking}: ${reason}`;
    if (!isLasting(error)) return;
    const key = keyOf(asking, scope);
    const known = this.#streaks.get(key);
    if (known) {
      known.times += 1;
      known.reason = reason;
      return;
    }
    const [oldest] = this.#streaks.keys();
    if (this.#streaks.size >= MAX_STREAKS && oldest !== undefined) this.#streaks.delete(oldest);
    const isRefusal = asking === 'reserving' && error instanceof PermissionDeniedError;
    this.#streaks.set(key, { asking, scope, sinceMs: nowMs, isRefusal, times: 1, reason });
  }

  /** These jobs are open now; what is known of others is forgotten. */
  listed(jobs: ReadonlySet<number>): void {
    this.#listed = jobs;
    for (const job of this.#served) if (!jobs.has(job)) this.#served.delete(job);
    for (const [key, { asking, scope }] of this.#streaks)
      if (asking === 'reserving' && scope !== undefined && !jobs.has(scope)) this.#streaks.delete(key);
  }

  /** What keeps the worker from its work at this moment. */
  current(nowMs: number): ServerTrouble[] {
    const all = [...this.#streaks.values()];
    const lasting = all.filter(({ isRefusal }) => !isRefusal);
    const found = lasting.flatMap((streak) => {
      const { asking, scope, sinceMs, times, reason } = streak;
      const partial = (this.#wellAt.get(asking) ?? Number.NEGATIVE_INFINITY) >= sinceMs;
      // Different jobs that fail with nothing that goes well between are the same fault.
      const together = lasting.reduce((sum, other) => sum + (other.asking === asking ? other.times : 0), 0);
      if (times < AGAIN && (partial || together < AGAIN)) return [];
      const about = scope === undefined ? '' : ` (${SCOPES[asking]} ${scope})`;
      const count = times === 1 ? '' : ` ${times} times in a row,`;
      return [
        { detail: `${asking}${about} failed${count} for ${seconds(nowMs - sinceMs)}: ${reason}`, partial },
      ];
    });
    return [...found, ...this.#refusedByAll(all, nowMs)];
  }

  /**
   * The list shows jobs that the credential may not touch (trap T15), so a refused job is none. But a credential that every open job
   * refuses, and that was never good for any of them, is.
   */
  #refusedByAll(streaks: readonly Streak[], nowMs: number): ServerTrouble[] {
    const refused = streaks.filter(({ isRefusal }) => isRefusal);
    const [first] = refused;
    const wasGood = this.#wellAt.has('reserving');
    if (!first || refused.length < this.#listed.size || (wasGood && !refused.some((one) => this.#lost(one))))
      return [];
    const jobs =
      refused.length === 1 ? 'the only open job refuses' : `all ${refused.length} open jobs refuse`;
    const detail = `${jobs} this credential, for ${seconds(nowMs - first.sinceMs)}: ${first.reason}`;
    return [{ detail, partial: false }];
  }

  /** The job was once served with this credential. */
  #lost({ scope }: Streak): boolean {
    return scope !== undefined && this.#served.has(scope);
  }
}

/** Waiting does not mend it, as it does an outage. */
function isLasting(error: unknown): boolean {
  return (
    error instanceof AntennaContractError ||
    error instanceof AuthenticationError ||
    error instanceof PermissionDeniedError ||
    error instanceof CredentialError
  );
}

function keyOf(asking: Asking, scope: number | undefined): string {
  return `${asking} ${scope ?? ''}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
