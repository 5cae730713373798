import type { Clock } from './time/clock.js';
import { machineClock } from './time/clock.js';
import type { SavingOptions } from './jobs/save-line.js';
import type { QueueLimits } from './queue/task-queue.js';

/** Which of the two real servers to be (contract, introduction). */
export type Dialect = 'api-key' | 'token';

/** How to build a contract server; everything but the dialect has the real server's value as its default. */
export interface ContractServerOptions {
  /** `token` is what is deployed, `api-key` the branch with processing-service keys. */
  readonly dialect: Dialect;
  /** Seed of everything random: task order, `ids_only` order, tokens, keys, fault probabilities. Default 1. */
  readonly seed?: number;
  /** Source of time. Default: the machine's clock. Give a `createTestClock()` to move time yourself. */
  readonly clock?: Clock;
  /** Base URL answered by `.handlers` and `.fetch`; its path must be `/api/v2`. Default `https://antenna.example/api/v2`. */
  readonly baseUrl?: string;
  /** Time after which an unacknowledged task is delivered again. Default 300 000 (`token`) or 30 000 (`api-key`). */
  readonly visibilityTimeoutMs?: number;
  /** Deliveries per task in total. Default 2 (`token`) or 5 (`api-key`). */
  readonly maxDeliveries?: number;
  /** Unacknowledged tasks per job, over all workers. Default 1000. */
  readonly maxOutstanding?: number;
  /**
   * Time between accepting a result and saving it. Default 0: saved once the answer is composed, so that the next request
   * sees it. The real server takes about 100 ms, and far longer with a backlog.
   */
  readonly saveDelayMs?: number;
  /** Saving at a limited rate, and updates of progress that are lost. Default: neither. Can be changed later: `server.saving`. */
  readonly saving?: SavingOptions;
  /** Time between `run` (or `start_now`) and STARTED. Default 0: right after the answer, which still shows PENDING. */
  readonly startDelayMs?: number;
  /**
   * How long a tasks call waits when the queue has nothing to give. Default 500 on a clock that moves by itself, 0 on a
   * {@link TestClock}, where nobody would end the wait.
   */
  readonly emptyWaitMs?: number;
  /** Default page size. Default 20, as both real servers behave. */
  readonly pageSize?: number;
  /** Refuse expired API keys. Default false: the real server stores an expiry and never checks it (T9). */
  readonly enforceKeyExpiry?: boolean;
  /**
   * Whether idle jobs are reaped on a schedule (contract §5.5). Default true for `token` (every 15 minutes, after 10 idle
   * minutes), false for `api-key`, whose reaper is a command nobody runs by itself.
   */
  readonly reaper?: boolean;
  /** Idle time before a job is reaped. Default 600 000 (`token`) or 259 200 000 (`api-key`). */
  readonly reapAfterMs?: number;
  /** Time between two runs of the reaper. Default 900 000. */
  readonly reapEveryMs?: number;
  /** Newest requests kept in `server.requests`. Default 10 000; bodies above 64 KiB are kept as their size only. */
  readonly requestLimit?: number;
  /** Newest events kept per job in `job.ledger`. Default 100 000. */
  readonly ledgerLimit?: number;
  /** Newest results kept per job in `job.results`. Default 10 000. */
  readonly resultLimit?: number;
}

/** Options with every default filled in. */
export interface Settings extends Required<ContractServerOptions> {
  readonly queueLimits: QueueLimits;
}

const DIALECT_DEFAULTS = {
  token: { visibilityTimeoutMs: 300_000, maxDeliveries: 2, reaper: true, reapAfterMs: 600_000 },
  'api-key': { visibilityTimeoutMs: 30_000, maxDeliveries: 5, reaper: false, reapAfterMs: 259_200_000 },
} as const;

const EMPTY_WAIT_MS = 500;

/**
 * Fills in the defaults.
 * @throws TypeError naming the option that cannot be used and what it must be. A misspelt option is one, not ignored.
 */
export function resolveSettings(options: ContractServerOptions): Settings {
  assertObject(options, 'createContractServer');
  if (!Object.hasOwn(DIALECT_DEFAULTS, options.dialect)) {
    throw new TypeError(`dialect must be 'api-key' or 'token', not ${JSON.stringify(options.dialect)}.`);
  }
  const clock = options.clock ?? machineClock;
  const defaults = {
    ...DIALECT_DEFAULTS[options.dialect],
    seed: 1,
    baseUrl: 'https://antenna.example/api/v2',
    maxOutstanding: 1000,
    saveDelayMs: 0,
    saving: {},
    startDelayMs: 0,
    emptyWaitMs: 'virtual' in clock ? 0 : EMPTY_WAIT_MS,
    pageSize: 20,
    enforceKeyExpiry: false,
    reapEveryMs: 900_000,
    requestLimit: 10_000,
    ledgerLimit: 100_000,
    resultLimit: 10_000,
    clock,
  };
  const own = withoutUndefined(options);
  assertLike({ dialect: '', ...defaults }, own);
  const merged = { ...defaults, ...own, clock };
  if (!URL.canParse(merged.baseUrl) || new URL(merged.baseUrl).pathname !== '/api/v2') {
    throw new TypeError(
      `baseUrl must be an absolute URL with the path /api/v2, not ${JSON.stringify(merged.baseUrl)}.`,
    );
  }
  const { visibilityTimeoutMs, maxDeliveries, maxOutstanding } = merged;
  return { ...merged, queueLimits: { visibilityTimeoutMs, maxDeliveries, maxOutstanding } };
}

/** @throws TypeError unless there are options at all. */
export function assertObject(options: unknown, maker: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new TypeError(`${maker} needs an object of options.`);
}

/** @throws TypeError naming the first option that has no default, or not the type of its default. */
export function assertLike(defaults: object, options: object): void {
  const known = new Map<string, unknown>(Object.entries(defaults));
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (!known.has(name))
      throw new TypeError(`${name} is no option here; there are ${[...known.keys()].join(', ')}.`);
    const type = typeof known.get(name);
    if (typeof value !== type || value === null || Array.isArray(value))
      throw new TypeError(`${name} must be of type ${type}.`);
    if (typeof value === 'number' && !(value >= 0))
      throw new TypeError(`${name} must not be negative, got ${value}.`);
  }
}

function withoutUndefined(options: ContractServerOptions): ContractServerOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as ContractServerOptions;
}
