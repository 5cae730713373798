/** What packing goes by. */
export interface Packable {
  readonly bytes: number;
}

/** Limits of one post. */
export interface PackLimits {
  readonly maxBytes: number;
  readonly maxResults: number;
}

/** How many items from the front of the queue make the next post: at least one, however large it is. */
export function packCount(queue: readonly Packable[], limits: PackLimits): number {
  let bytes = 0;
  let count = 0;
  for (const item of queue) {
    if (count > 0 && (bytes + item.bytes > limits.maxBytes || count >= limits.maxResults)) break;
    bytes += item.bytes;
    count += 1;
  }
  return count;
}

/** Whether a post would be full with what waits. */
export function isFull(
  waiting: { readonly count: number; readonly bytes: number },
  limits: PackLimits,
): boolean {
  return waiting.count >= limits.maxResults || waiting.bytes >= limits.maxBytes;
}

/** The two halves of a post that was refused as a whole. */
export function halve<Item>(items: readonly Item[]): [Item[], Item[]] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}
