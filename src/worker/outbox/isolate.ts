import { halve } from './packer.js';

/** Finds the items for which a post is refused. */
export interface Isolation<Item> {
  /** Posts some items. @returns whether the server accepted them; false for a refusal of the content. */
  readonly post: (items: readonly Item[]) => Promise<boolean>;
  /** An item is refused on its own. @returns false to give up the search. */
  readonly bad: (item: Item) => Promise<boolean>;
}

/**
 * Bisects a post that was refused as a whole (trap T33). If one half is accepted the other must hold the culprit and is not posted
 * again whole, which keeps k bad of n below 2k·log₂n posts.
 * @param items - known to be refused together.
 * @returns items that were not decided because `bad` gave up.
 */
export async function isolate<Item>(items: readonly Item[], isolation: Isolation<Item>): Promise<Item[]> {
  const [only] = items;
  if (only === undefined) return [];
  if (items.length === 1) return (await isolation.bad(only)) ? [] : [only];
  const [left, right] = halve(items);
  const leftAccepted = await isolation.post(left);
  if (leftAccepted) return isolate(right, isolation);
  const undecided = await isolate(left, isolation);
  if (undecided.length > 0) return [...undecided, ...right];
  if (await isolation.post(right)) return [];
  return isolate(right, isolation);
}
