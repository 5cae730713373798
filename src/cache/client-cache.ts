import { inspect } from 'node:util';
import { AntennaConfigError } from '../errors/config.js';
import { CACHED_OPERATIONS, isCached, type CachedOperation } from './rules.js';
import type { CacheStats, CacheStore } from './store.js';

/** The answers that a client keeps, as its user sees them: to be counted and cleared, never read. */
export class ClientCache {
  readonly #store: CacheStore;

  constructor(store: CacheStore) {
    this.#store = store;
  }

  /**
   * Forgets all answers, or those of one operation. Requests on their way are not kept either.
   * @param operation - exactly this one: clearing `projects.get` leaves `projects.list`.
   * @throws AntennaConfigError for a name that is none: a clear that does nothing would look like one that worked.
   */
  clear(operation?: CachedOperation): void {
    if (operation === undefined) {
      this.#store.drop(() => true);
      return;
    }
    if (!isCached(operation)) {
      const message = `must be one of ${CACHED_OPERATIONS.join(', ')}`;
      throw new AntennaConfigError('Cannot clear the cache', [{ path: 'operation', message }]);
    }
    this.#store.drop((name) => name.operation === operation);
  }

  /** Numbers alone: no answer, no argument, nothing of a credential. */
  stats(): CacheStats {
    return this.#store.stats();
  }

  [inspect.custom](): string {
    const { entries, maxEntries, hits, misses } = this.stats();
    return `ClientCache { entries: ${entries} of ${maxEntries}, hits: ${hits}, misses: ${misses} }`;
  }
}
