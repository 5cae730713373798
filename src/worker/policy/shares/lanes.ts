/** How long one pipeline keeps the lanes while another waits, to spare the model switches. */
const QUANTUM_MS = 5_000;
/** Calls that take longer than this are no turn that another pipeline should wait for twice. */
const LONG_CALL_MS = 1_000;

/** A pipeline with images that are ready, and what it has of the lanes. */
export interface LaneClaim {
  readonly slug: string;
  /** Calls that run. */
  readonly running: number;
  /** A call runs far longer than calls of this pipeline take, or none has ended yet. */
  readonly unproven: boolean;
  /** When its first image that waits became ready, on the monotonic clock. */
  readonly readyAtMs: number;
  /** What a call takes, as measured; 0 before the first. */
  readonly callMs: number;
}

/** The lanes, and who had the last one. */
export interface LaneState {
  readonly lanes: number;
  readonly inUse: number;
  /** Pipelines that the worker serves: those without images today may have some tomorrow. */
  readonly pipelines: number;
  /** Calls that run of pipelines that have not shown that their calls end. */
  readonly unproven: number;
  /** Some pipeline's calls end: it is to be protected from those that do not. */
  readonly someProven: boolean;
  readonly current: { readonly slug: string; readonly sinceMs: number } | undefined;
}

/**
 * Whose call takes the next free lane. Pipelines that have not shown that their calls end never have all lanes together: handlers that
 * never return must leave one to the others. What counts is what such calls have, not what is free: a new pipeline once waited for ever
 * beside one that kept all lanes busy. Else one pipeline keeps the lanes for some seconds, since switching models costs time; but one that
 * has no lane does not wait for the long calls of another.
 * @returns undefined when no lane is free for any of them.
 */
export function nextLane(claims: readonly LaneClaim[], state: LaneState, nowMs: number): string | undefined {
  const free = state.lanes - state.inUse;
  if (free < 1) return undefined;
  const isShared = state.pipelines > 1 && state.lanes > 1;
  const isRisky = isShared && state.unproven + 1 >= state.lanes;
  const allowed = claims.filter(
    ({ unproven, running }) => !unproven || !isRisky || (!state.someProven && running === 0),
  );
  const [only] = allowed;
  if (only === undefined || allowed.length === 1) return only?.slug;
  const current = allowed.find(({ slug }) => slug === state.current?.slug);
  const others = allowed.filter((claim) => claim !== current);
  const longest = others.reduce((first, claim) => (claim.readyAtMs < first.readyAtMs ? claim : first));
  if (!current || state.current === undefined) return longest.slug;
  if (nowMs - state.current.sinceMs >= QUANTUM_MS) return longest.slug;
  const starved = others.find(({ running }) => running === 0);
  return starved && current.callMs > LONG_CALL_MS && current.running > 0 ? starved.slug : current.slug;
}
