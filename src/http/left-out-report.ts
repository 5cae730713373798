import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { LeftOut } from '../contract/answer.js';
import type { Logger } from '../log/logger.js';

/** Told of what could not be read of an answer; see the client's option `onLeftOut`. */
export type LeftOutHook = (leftOut: LeftOut, request: { operation: string; path: string }) => void;

/** Things that are remembered as told, at most: what is forgotten is merely told again. */
const MAX_TOLD = 1_000;

/** Tells of each thing once, however many polls show it. */
export class LeftOutReport {
  readonly #logger: Logger;
  readonly #hook: LeftOutHook | undefined;
  readonly #told = new Once();

  constructor(logger: Logger, hook: LeftOutHook | undefined) {
    this.#logger = logger;
    this.#hook = hook;
  }

  /** @param path - of the request. */
  tell(operation: string, path: string, leftOut: readonly LeftOut[]): void {
    for (const one of leftOut) {
      if (!this.#told.isNew(`${operation} ${path}`, one)) continue;
      const named = one.id === undefined ? one.path : `${one.path} (id ${one.id})`;
      this.#logger.warn(
        { operation, path, reason: `${named}: ${one.problem}` },
        'a part of an answer could not be read and was left out; the rest is used',
      );
      try {
        this.#hook?.(one, { operation, path });
      } catch (error) {
        this.#logger.error({ operation, error }, 'onLeftOut threw; the call goes on');
      }
    }
  }
}

/** Recognises what was seen before, be it at another place of the list. Constant in size. */
export class Once {
  readonly #seen = new LRUCache<string, true>({ max: MAX_TOLD });

  /** @param scope - things of different scopes are never the same. */
  isNew(scope: string, leftOut: LeftOut): boolean {
    const key = `${scope} ${nameOf(leftOut)}`;
    const isNew = !this.#seen.has(key);
    this.#seen.set(key, true);
    return isNew;
  }
}

/** By its id where there is one; else by content, without what differs from delivery to delivery. */
function nameOf({ path, problem, id, item }: LeftOut): string {
  const place = path.replaceAll(/\d+/g, '*');
  if (id !== undefined) return `${place} ${id} ${problem}`;
  const text = JSON.stringify([item], (name, value: unknown) =>
    name === 'reply_subject' ? undefined : value,
  );
  // Hashed: it may be long, and may be a secret.
  return `${place} ${problem} ${createHash('sha256').update(text).digest('hex')}`;
}
