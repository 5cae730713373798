import { CLOCK_TOLERANCE_MS, describeOffset } from '../../http/server-clock.js';

/** What is known about a worker. Times are on the monotonic clock, in milliseconds; undefined is "never" or "none". */
export interface HealthFacts {
  /** The worker's state, such as `running`. */
  readonly state: string;
  /** When the run began. */
  readonly startedAtMs: number;
  /** When the main loop last ended a turn. */
  readonly lastTurnAtMs: number | undefined;
  /** When the server last answered a poll or a reservation, be it with nothing. */
  readonly lastContactAtMs: number | undefined;
  /** When the oldest task in hand that is not computed yet was taken. */
  readonly oldestHeldAtMs: number | undefined;
  /** When the oldest result that waits to be posted was computed. */
  readonly oldestOutboxAtMs: number | undefined;
  /** Longest recent delay of the event loop. */
  readonly loopDelayMs: number;
  /** No more results fit, so no more tasks are taken. */
  readonly outboxFull: boolean;
  /** The spool directory cannot be written. */
  readonly spoolFailing: boolean;
  /** The most that any pipeline's executor has failed in a row. */
  readonly consecutiveCrashes: number;
  /** By how much the server's clock is ahead of this machine's, in milliseconds; undefined until it has told. */
  readonly clockOffsetMs?: number | undefined;
  /** Jobs, image hosts and pipelines in trouble, in words, the longest first. */
  readonly troubles: readonly string[];
  /** What keeps the worker from its work although the server answers. */
  readonly serverTroubles?: readonly ServerTrouble[] | undefined;
  /** What failed last with the server, in words, since it last answered well. */
  readonly lastFailure?: string | undefined;
  /** Why the run failed, in words, of a worker whose state is `failed`. */
  readonly runFailure?: string | undefined;
}

/** Answers that break the contract, or a credential that is refused, again and again. */
export interface ServerTrouble {
  /** What, since when and why, in words. */
  readonly detail: string;
  /** The rest of the work goes on: one job's or project's alone. */
  readonly partial: boolean;
}

/** From when on a fact is bad. Durations in milliseconds. */
export interface HealthLimits {
  /** A turn of the loop that takes longer hangs. Default 120,000: the longest wait inside is a request with its retries. */
  readonly turnMs: number;
  /** A task in hand for longer is forgotten or its handler hangs. Default 1,800,000: above a timeout of 300 s for every step of a bisection. */
  readonly heldMs: number;
  /** A server that has not answered for longer is away. Default 300,000. */
  readonly contactMs: number;
  /** A result that waits for longer endangers its job. Default 480,000: servers fail a job's tail after 600,000 of silence. */
  readonly outboxMs: number;
  /** Default 1,000. */
  readonly loopDelayMs: number;
  /** Default 5. */
  readonly consecutiveCrashes: number;
  /** A clock that differs by more from the server's should be set. Default 60,000. */
  readonly clockMs: number;
}

export const HEALTH_LIMITS: HealthLimits = {
  turnMs: 120_000,
  heldMs: 1_800_000,
  contactMs: 300_000,
  outboxMs: 480_000,
  loopDelayMs: 1_000,
  consecutiveCrashes: 5,
  clockMs: CLOCK_TOLERANCE_MS,
};

/**
 * - `ok`: works, or has nothing to do.
 * - `degraded`: something around it is wrong; a restart would not help.
 * - `stuck`: it will not go on by itself; restart it.
 */
export type HealthStatus = 'ok' | 'degraded' | 'stuck';

/** One thing that was looked at, and in words what was seen. */
export interface HealthCheck {
  /** `process` is one of several worker processes, as whoever started it sees it. */
  readonly name:
    | 'process'
    | 'run'
    | 'jobs'
    | 'loop'
    | 'held'
    | 'contact'
    | 'server'
    | 'outbox'
    | 'spool'
    | 'delay'
    | 'handlers'
    | 'clock';
  readonly status: HealthStatus;
  readonly detail: string;
  /** Only a part of the work is affected, so that the worker stays ready for the rest. */
  readonly partial?: boolean;
}

/** The state of a worker as a probe wants it. */
export interface HealthReport {
  readonly state: string;
  /** The worst of the checks. */
  readonly status: HealthStatus;
  /** False: restart the process. */
  readonly live: boolean;
  /** True: it takes tasks, or would if there were any. One job in trouble leaves it ready for the others. */
  readonly ready: boolean;
  readonly checks: readonly HealthCheck[];
}

/** Troubles that one check names. */
const MAX_NAMED = 3;
/** States in which the main loop turns. */
const TURNING = new Set(['running', 'paused', 'draining']);
/** States in which a worker is at work as it should be. */
const AT_WORK = new Set(['running', 'paused']);
/** States outside of a run: nothing can hang. */
const RESTING = new Set(['idle', 'stopped']);

/**
 * Judges a worker by facts: what it did last and how long ago. A worker that says of itself that it is well says nothing; and an
 * idle one is well, however long it has had no work.
 * @param nowMs - on the clock of the facts.
 */
export function health(
  facts: HealthFacts,
  nowMs: number,
  limits: HealthLimits = HEALTH_LIMITS,
): HealthReport {
  const { state } = facts;
  const checks =
    state === 'failed' ? [failedRun(facts)] : RESTING.has(state) ? [] : runChecks(facts, nowMs, limits);
  const worst = (status: HealthStatus): boolean => checks.some((check) => check.status === status);
  const status: HealthStatus = worst('stuck') ? 'stuck' : worst('degraded') ? 'degraded' : 'ok';
  const ready =
    AT_WORK.has(state) &&
    checks.every((check) => check.status === 'ok' || check.partial === true || check.name === 'jobs');
  return { state, status, live: status !== 'stuck', ready, checks };
}

/** Whoever asks may have missed that `run()` was rejected; it does not begin again by itself. */
function failedRun({ runFailure }: HealthFacts): HealthCheck {
  return {
    name: 'run',
    status: 'stuck',
    detail: `the run failed: ${runFailure ?? 'its error has the reason'}`,
  };
}

/** Whether the server was heard of lately; one that never was, and is known to be wrong, is not given any time. */
function contactCheck(facts: HealthFacts, nowMs: number, { contactMs }: HealthLimits): HealthCheck {
  const { lastContactAtMs, startedAtMs, lastFailure } = facts;
  const silentMs = nowMs - (lastContactAtMs ?? startedAtMs);
  const never = lastContactAtMs === undefined;
  const status = silentMs > contactMs || (never && lastFailure !== undefined) ? 'degraded' : 'ok';
  const seen = never
    ? `the server has not answered since the start ${seconds(silentMs)} ago`
    : `last answer of the server ${seconds(silentMs)} ago`;
  return { name: 'contact', status, detail: lastFailure === undefined ? seen : `${seen}; ${lastFailure}` };
}

/** What waiting does not mend. */
function serverCheck({ serverTroubles: troubles = [] }: HealthFacts): HealthCheck {
  if (troubles.length === 0) return { name: 'server', status: 'ok', detail: 'its answers can be used' };
  const named = troubles.slice(0, MAX_NAMED).map(({ detail }) => detail);
  const more = troubles.length > MAX_NAMED ? [`and ${troubles.length - MAX_NAMED} more like these`] : [];
  const partial = troubles.every((trouble) => trouble.partial);
  return {
    name: 'server',
    status: 'degraded',
    detail: [...named, ...more].join('; '),
    ...(partial ? { partial } : {}),
  };
}

function runChecks(facts: HealthFacts, nowMs: number, limits: HealthLimits): HealthCheck[] {
  const since = (atMs: number | undefined): number => nowMs - (atMs ?? facts.startedAtMs);
  const age = (atMs: number | undefined): number => (atMs === undefined ? 0 : nowMs - atMs);
  const turning = TURNING.has(facts.state);
  const check = (name: HealthCheck['name'], bad: boolean, as: HealthStatus, detail: string): HealthCheck => ({
    name,
    status: bad ? as : 'ok',
    detail,
  });
  const turn = since(facts.lastTurnAtMs);
  const held = age(facts.oldestHeldAtMs);
  const outbox = age(facts.oldestOutboxAtMs);
  const spool = facts.spoolFailing
    ? 'the spool directory cannot be written'
    : facts.outboxFull
      ? 'the outbox is full'
      : 'fine';
  return [
    check('jobs', facts.troubles.length > 0, 'degraded', troublesIn(facts.troubles)),
    check('loop', turning && turn > limits.turnMs, 'stuck', `last turn ${seconds(turn)} ago`),
    check('held', held > limits.heldMs, 'stuck', `oldest unfinished task in hand for ${seconds(held)}`),
    contactCheck(facts, nowMs, limits),
    serverCheck(facts),
    check('outbox', outbox > limits.outboxMs, 'degraded', `oldest result waits for ${seconds(outbox)}`),
    check('spool', facts.spoolFailing || facts.outboxFull, 'degraded', spool),
    check(
      'delay',
      facts.loopDelayMs > limits.loopDelayMs,
      'degraded',
      `the event loop was ${Math.round(facts.loopDelayMs)} ms late`,
    ),
    check(
      'handlers',
      facts.consecutiveCrashes >= limits.consecutiveCrashes,
      'degraded',
      `${facts.consecutiveCrashes} crashes of a handler in a row`,
    ),
    check(
      'clock',
      Math.abs(facts.clockOffsetMs ?? 0) > limits.clockMs,
      'degraded',
      describeOffset(facts.clockOffsetMs),
    ),
  ];
}

function troublesIn(troubles: readonly string[]): string {
  if (troubles.length === 0) return 'none in trouble';
  const more = troubles.length > MAX_NAMED ? `; and ${troubles.length - MAX_NAMED} more` : '';
  return `${troubles.slice(0, MAX_NAMED).join('; ')}${more}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
