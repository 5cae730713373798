/** Results in one post at most (WORKER §3.6). */
export const MAX_POST_RESULTS = 50;
/** Bytes in one post, unless a single result is larger: well below the documented proxy limit of 100 MB (WORKER §3.6). */
export const MAX_POST_BYTES = 8 * 1024 * 1024;

/** Cuts a list into posts, in order. A result larger than the limit goes alone: it cannot be made smaller. */
export function pack<Item extends { readonly encoded: { readonly bytes: { readonly length: number } } }>(
  items: readonly Item[],
  maxBytes = MAX_POST_BYTES,
  maxResults = MAX_POST_RESULTS,
): Item[][] {
  const posts: Item[][] = [];
  let current: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = item.encoded.bytes.length;
    if (current.length > 0 && (bytes + size > maxBytes || current.length >= maxResults)) {
      posts.push(current);
      current = [];
      bytes = 0;
    }
    current.push(item);
    bytes += size;
  }
  if (current.length > 0) posts.push(current);
  return posts;
}

/** The two halves of a post that was refused as a whole. */
export function halve<Item>(items: readonly Item[]): [Item[], Item[]] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}
