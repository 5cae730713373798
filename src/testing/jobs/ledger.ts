import { BoundedLog } from '../bounded-log.js';

/** What can happen to a task, in the order in which it normally does. */
export type LedgerKind =
  /** The task entered the queue. */
  | 'published'
  /** A worker took it. */
  | 'delivered'
  /** The visibility timeout of a delivery passed without an acknowledgement. */
  | 'expired'
  /** The last allowed delivery timed out: the task is never served again. */
  | 'exhausted'
  /** A result naming this image was accepted with 200. */
  | 'posted'
  /** The result was counted for the first time: this is the outcome the job shows. */
  | 'counted'
  /** A result for an image that had been counted before, or that is not in the job. */
  | 'counted-again'
  /** Saving failed in the background; the task is not acknowledged. */
  | 'save-failed'
  /** The result was thrown away: the job was over, not started, or deleted. */
  | 'dropped'
  /** The queue removed the task. */
  | 'acknowledged'
  /** The reaper marked the image failed. */
  | 'reaped';

export interface LedgerEvent {
  /** Wall time, in milliseconds since the Unix epoch. */
  readonly at: number;
  readonly kind: LedgerKind;
  /** The image, as tasks name it; `''` when a result named none. */
  readonly imageId: string;
  /** Number of the delivery, for `delivered`, `expired` and `exhausted`. */
  readonly delivery?: number;
  readonly replySubject?: string;
  /** `success` or `error`, for results. */
  readonly outcome?: 'success' | 'error';
  /** Why, for `save-failed` and `dropped`. */
  readonly reason?: string;
}

/** Everything about one image, complete even when old events were let go. */
export interface ImageAccount {
  deliveries: number;
  posted: number;
  acknowledged: number;
  saveFailures: number;
  /** The first counted outcome, or null while the image is pending. */
  outcome: 'success' | 'error' | null;
}

/** A job's book: every delivery, acknowledgement and counted outcome. Events are bounded, accounts and totals are not. */
export class JobLedger {
  readonly #events: BoundedLog<LedgerEvent>;
  readonly #accounts = new Map<string, ImageAccount>();
  readonly #totals = new Map<LedgerKind, number>();
  readonly #wallNow: () => number;

  constructor(limit: number, wallNow: () => number) {
    this.#events = new BoundedLog(limit);
    this.#wallNow = wallNow;
  }

  /** The newest events, oldest first. */
  get events(): readonly LedgerEvent[] {
    return this.#events.toArray();
  }

  /** How many events were let go to stay within the server's `ledgerLimit`. */
  get droppedEvents(): number {
    return this.#events.dropped;
  }

  /** How often something has happened in this job, over all images. */
  total(kind: LedgerKind): number {
    return this.#totals.get(kind) ?? 0;
  }

  /** The account of one image; all zero if nothing happened to it. */
  image(imageId: string | number): Readonly<ImageAccount> {
    return this.#accounts.get(String(imageId)) ?? newAccount();
  }

  /** All images something happened to. */
  get images(): ReadonlyMap<string, Readonly<ImageAccount>> {
    return this.#accounts;
  }

  record(
    kind: LedgerKind,
    imageId: string,
    details: Omit<LedgerEvent, 'at' | 'kind' | 'imageId'> = {},
  ): void {
    this.#totals.set(kind, this.total(kind) + 1);
    this.#events.push({ at: this.#wallNow(), kind, imageId, ...details });
    if (imageId === '') return;
    const account = this.#account(imageId);
    if (kind === 'delivered') account.deliveries++;
    else if (kind === 'posted') account.posted++;
    else if (kind === 'acknowledged') account.acknowledged++;
    else if (kind === 'save-failed') account.saveFailures++;
    else if (kind === 'counted') account.outcome = details.outcome ?? null;
    else if (kind === 'reaped') account.outcome ??= 'error';
  }

  /** The events of one image, oldest first. */
  eventsOf(imageId: string | number): readonly LedgerEvent[] {
    const wanted = String(imageId);
    return this.#events.toArray().filter((event) => event.imageId === wanted);
  }

  #account(imageId: string): ImageAccount {
    const known = this.#accounts.get(imageId);
    if (known) return known;
    const created = newAccount();
    this.#accounts.set(imageId, created);
    return created;
  }
}

function newAccount(): ImageAccount {
  return { deliveries: 0, posted: 0, acknowledged: 0, saveFailures: 0, outcome: null };
}
