import type { Page } from '../contract/common.js';
import type { Operation, OperationInput, QueryValue, RequestOptions } from '../http/operation.js';
import { readNextLink } from '../http/url.js';
import type { ResourceCore } from './core.js';

/** Options of every list. */
export interface ListOptions {
  /** Items per request; the server's own default differs from list to list. Not a limit on the whole. */
  readonly limit?: number | undefined;
  /** Items to skip. */
  readonly offset?: number | undefined;
}

/**
 * A list that is fetched page by page while it is read: `for await (const item of list)`. Awaiting it gives the first page
 * with `count` and `next`.
 */
export class PagedList<Item> implements AsyncIterable<Item>, PromiseLike<Page<Item>> {
  readonly #fetchPage: (query: Record<string, QueryValue>) => Promise<Page<Item>>;
  readonly #query: Record<string, QueryValue>;
  readonly #core: ResourceCore;
  #first: Promise<Page<Item>> | undefined;

  constructor(
    core: ResourceCore,
    operation: Operation<Page<Item>>,
    input: OperationInput,
    options: RequestOptions = {},
  ) {
    this.#core = core;
    this.#query = { ...input.query };
    this.#fetchPage = (query) => core.http.request(operation, { ...input, query }, options);
  }

  /** The first page. Sends one request, however often it is asked for. */
  then<Fulfilled = Page<Item>, Rejected = never>(
    onFulfilled?: ((page: Page<Item>) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    return this.#firstPage().then(onFulfilled, onRejected);
  }

  /** Pages instead of items. */
  async *pages(): AsyncGenerator<Page<Item>, void, undefined> {
    let page = await this.#firstPage();
    const seen = new Set<string>();
    for (;;) {
      yield page;
      // A page that points to itself would be fetched for ever.
      if (page.next === null || seen.has(page.next)) return;
      seen.add(page.next);
      page = await this.#fetchPage(this.#nextQuery(page.next));
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    for await (const page of this.pages()) yield* page.results;
  }

  /**
   * All items in an array.
   * @param maxItems - required, because a server may hold more than memory does.
   */
  async toArray(maxItems: number): Promise<Item[]> {
    const items: Item[] = [];
    if (maxItems <= 0) return items;
    for await (const item of this) {
      items.push(item);
      if (items.length >= maxItems) break;
    }
    return items;
  }

  #firstPage(): Promise<Page<Item>> {
    this.#first ??= this.#fetchPage(this.#query);
    return this.#first;
  }

  /** The link contributes its paging only; filters stay ours, and so does the host. */
  #nextQuery(next: string): Record<string, QueryValue> {
    const { query, foreignOrigin } = readNextLink(next, this.#core.http.options.baseUrl);
    if (foreignOrigin) {
      this.#core.logger.debug(
        { reason: 'foreign next link' },
        'the server names another host in a next link; staying on baseUrl',
      );
    }
    return {
      ...query,
      ...this.#query,
      limit: query['limit'] ?? this.#query['limit'],
      offset: query['offset'],
    };
  }
}
