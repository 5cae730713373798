import { AntennaApiError } from '../../errors/api.js';
import { errorOutcome } from '../task/outcome.js';
import type { RunContext } from '../run/context.js';
import { PermanentTaskError } from '../handler/task-errors.js';
import type { BodyCap } from '../policy/learned-limits.js';
import { bytesOf, outboxEntry, type OutboxEntry } from './entry.js';
import { isolate, packCount } from './job-queue.js';
import type { Poster } from './poster.js';

/** What judging a post needs of a run. */
export type ParcelPort = Pick<RunContext, 'bus' | 'tally' | 'hold' | 'note' | 'failures'>;

/** What delivering a parcel needs, and whom it tells. */
export interface ParcelTools {
  readonly context: ParcelPort;
  readonly poster: Poster;
  readonly cap: BodyCap;
  /** The job does not exist any more. */
  readonly gone: (jobId: number) => void;
  /** The server refuses everything that we can say for this job. */
  readonly rejected: (jobId: number, reason: string) => void;
}

/**
 * Delivers one post's worth of outcomes, splitting it as the server demands: in halves when it is too large, down to the culprit when
 * it is refused for its content.
 */
export class Parcel {
  readonly #tools: ParcelTools;
  readonly #jobId: number;
  readonly #left: OutboxEntry[] = [];
  /** Error results that take the place of what cannot be posted; together at the end, to spare posts. */
  readonly #replacements: OutboxEntry[] = [];
  #accepted = 0;
  #dropped = 0;
  #refusedSingles = 0;
  #contractTested = false;

  constructor(jobId: number, tools: ParcelTools) {
    this.#jobId = jobId;
    this.#tools = tools;
  }

  /** @returns the entries that the end of the run left undelivered, and how many were dropped. Never throws. */
  async deliver(
    entries: readonly OutboxEntry[],
  ): Promise<{ readonly left: readonly OutboxEntry[]; readonly dropped: number }> {
    await this.#deliver(entries);
    for (let batch = this.#replacements.splice(0); batch.length > 0; batch = this.#replacements.splice(0))
      await this.#deliver(batch);
    return { left: this.#left, dropped: this.#dropped };
  }

  async #deliver(entries: readonly OutboxEntry[]): Promise<void> {
    const verdict = await this.#post(entries);
    if (verdict === 'too-large') await this.#shrink(entries);
    if (verdict === 'invalid') await this.#findCulprit(entries);
  }

  /** @returns `decided` when nothing is left to do for these entries here. */
  async #post(entries: readonly OutboxEntry[]): Promise<'decided' | 'too-large' | 'invalid'> {
    const end = await this.#tools.poster.post(this.#jobId, entries);
    switch (end.verdict) {
      case 'accepted':
        this.#accepted += entries.length;
        this.#tools.cap.accepted(bytesOf(entries));
        return 'decided';
      case 'aborted':
        this.#left.push(...end.left);
        return 'decided';
      case 'gone':
        this.#drop(end.left);
        this.#tools.gone(this.#jobId);
        return 'decided';
      default:
        this.#tools.context.bus.emit('split', {
          jobId: this.#jobId,
          count: entries.length,
          reason: end.verdict,
        });
        if (entries.length === 1 && end.verdict === 'invalid') this.#note(end.error);
        return end.verdict;
    }
  }

  async #shrink(entries: readonly OutboxEntry[]): Promise<void> {
    const { cap } = this.#tools;
    cap.tooLarge(bytesOf(entries));
    const [only] = entries;
    if (only && entries.length === 1) {
      this.#replace(only, `result too large: ${only.outcome.body.length} bytes`);
      return;
    }
    // By the cap as it is at each step: other posts teach it too.
    for (let rest = entries; rest.length > 0;) {
      const fits = packCount(rest, { maxBytes: cap.bytes, maxResults: Math.ceil(entries.length / 2) });
      await this.#deliver(rest.slice(0, fits));
      rest = rest.slice(fits);
    }
  }

  async #findCulprit(entries: readonly OutboxEntry[]): Promise<void> {
    const undecided = await isolate(entries, {
      post: async (part) => (await this.#post(part)) === 'decided',
      bad: (entry) => this.#bad(entry),
    });
    if (undecided.length === 0) return;
    this.#drop([...undecided, ...this.#replacements.splice(0)]);
  }

  /**
   * An entry was refused on its own. Two of them before anything was accepted may mean that the server speaks another contract: then
   * even an error result is refused, and searching on would only refuse one result after the other.
   * @returns false in that case.
   */
  async #bad(entry: OutboxEntry): Promise<boolean> {
    if (entry.outcome.kind === 'error') {
      // Two strings, and refused: nothing that we could say for this job would be accepted.
      this.#drop([entry]);
      this.#reject();
      return true;
    }
    this.#refusedSingles += 1;
    this.#replace(entry, 'result refused by the server as invalid');
    const suspicious = this.#accepted === 0 && this.#refusedSingles >= 2 && !this.#contractTested;
    if (!suspicious) return true;
    this.#contractTested = true;
    const probe = this.#replacements.shift();
    if (!probe) return false;
    if ((await this.#post([probe])) === 'decided') return true;
    this.#replacements.unshift(probe);
    this.#reject();
    return false;
  }

  #reject(): void {
    this.#tools.rejected(this.#jobId, 'the server refuses even error results of this job');
  }

  /** An error result in place of a result that cannot be delivered, so that the image is accounted for. */
  #replace(entry: OutboxEntry, text: string): void {
    const { item, outcome } = entry;
    if (outcome.kind === 'error') {
      this.#drop([entry]);
      return;
    }
    this.#tools.context.failures?.add(item, 'error', 'post', new PermanentTaskError(text));
    this.#tools.context.tally.add(this.#jobId, 'failed');
    this.#tools.context.tally.add(this.#jobId, 'succeeded', -1);
    const replacement = errorOutcome(outcome.imageId, text);
    this.#replacements.push(outboxEntry(item, replacement, entry.enqueuedAtMs));
  }

  #drop(entries: readonly OutboxEntry[]): void {
    this.#dropped += entries.length;
    for (const { item } of entries) this.#tools.context.hold.settle(item, 'dropped');
  }

  #note(error: unknown): void {
    const detail = error instanceof AntennaApiError ? error.detail : '';
    this.#tools.context.note(
      error,
      `posting a result, which the server refuses (${detail}); its image will be reported as failed`,
      this.#jobId,
    );
  }
}
