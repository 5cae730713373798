import { leftOutOf, noteLeftOut, type LeftOut, type WithLeftOut } from '../contract/answer.js';
import type { Page } from '../contract/common.js';
import type { Operation, OperationInput, QueryValue, RequestOptions } from '../http/operation.js';
import { AntennaConfigError } from '../errors/config.js';
import { AntennaContractError } from '../errors/contract.js';
import { isCount, type Check } from '../errors/arguments.js';
import { fillPath, readNextLink } from '../http/url.js';
import type { ResourceCore } from './core.js';

/** Empty pages with a `next` link that a list takes in a row. */
const MAX_EMPTY_PAGES = 2;

/** Unreadable items that an error carries at most. */
const MAX_NAMED = 100;

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
 *
 * An item that cannot be read is left out and costs no other: pages and arrays name it in `leftOut`, and for what is read item by item
 * there is the client's option `onLeftOut`.
 */
export class PagedList<Item> implements AsyncIterable<Item>, PromiseLike<WithLeftOut<Page<Item>>> {
  readonly #fetchPage: (query: Record<string, QueryValue>) => Promise<WithLeftOut<Page<Item>>>;
  readonly #query: Record<string, QueryValue>;
  readonly #core: ResourceCore;
  readonly #operation: Operation<Page<Item>>;
  readonly #params: OperationInput['params'];
  #first: Promise<WithLeftOut<Page<Item>>> | undefined;

  constructor(
    core: ResourceCore,
    operation: Operation<Page<Item>>,
    input: OperationInput,
    options: RequestOptions = {},
    check: () => void = () => undefined,
  ) {
    this.#core = core;
    this.#operation = operation;
    this.#params = input.params;
    this.#query = { ...input.query };
    this.#fetchPage = async (query) => {
      check();
      return core.http.request(operation, { ...input, query }, options);
    };
  }

  /** The first page. Sends one request, however often it is asked for. */
  then<Fulfilled = WithLeftOut<Page<Item>>, Rejected = never>(
    onFulfilled?: ((page: WithLeftOut<Page<Item>>) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    return this.#firstPage().then(onFulfilled, onRejected);
  }

  /**
   * Pages instead of items.
   * @throws AntennaContractError when the links lead nowhere or in a circle: a list cut short must not look like a whole one. Also when
   * the list has items and none of them can be read.
   */
  async *pages(): AsyncGenerator<WithLeftOut<Page<Item>>, void, undefined> {
    let page = await this.#firstPage();
    const seen = new Set<string>();
    let emptyPages = 0;
    let readable = 0;
    let unreadable: readonly LeftOut[] = [];
    for (;;) {
      const bad = leftOutOf(page).filter(({ path }) => /^results\.\d+$/.test(path));
      readable += page.results.length;
      if (readable === 0) unreadable = [...unreadable, ...bad].slice(0, MAX_NAMED);
      yield page;
      const [first] = unreadable;
      if (page.next === null && readable === 0 && first)
        throw this.#offSchema(first.path, first.problem, unreadable);
      if (page.next === null) return;
      if (seen.has(page.next)) throw this.#linkError('leads back to a page that was read before');
      // One may be the trace of rows deleted meanwhile; a server that goes on so would be asked for ever.
      emptyPages = page.results.length + bad.length > 0 ? 0 : emptyPages + 1;
      if (emptyPages > MAX_EMPTY_PAGES) throw this.#linkError('promises more, page after empty page');
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
  async toArray(maxItems: number): Promise<WithLeftOut<Item[]>> {
    if (!(typeof maxItems === 'number' && maxItems >= 0)) {
      const message = 'must be a number from 0: a server may hold more than memory does';
      throw new AntennaConfigError('Cannot list', [{ path: 'maxItems', message }]);
    }
    const items: Item[] = [];
    const leftOut: LeftOut[] = [];
    if (maxItems === 0) return items;
    for await (const page of this.pages()) {
      items.push(...page.results.slice(0, maxItems - items.length));
      leftOut.push(...leftOutOf(page));
      if (items.length >= maxItems) break;
    }
    return noteLeftOut(items, leftOut);
  }

  #firstPage(): Promise<WithLeftOut<Page<Item>>> {
    this.#first ??= this.#fetchPage(this.#query);
    return this.#first;
  }

  /** The link contributes its paging only; filters stay ours, and so does the host. */
  #nextQuery(next: string): Record<string, QueryValue> {
    const link = readNextLink(next, this.#core.http.options.baseUrl);
    if (link === undefined) throw this.#linkError('is no URL');
    const { query } = link;
    if (link.foreignOrigin) {
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

  #linkError(what: string): AntennaContractError {
    return this.#offSchema('next', what);
  }

  #offSchema(bodyPath: string, what: string, leftOut: readonly LeftOut[] = []): AntennaContractError {
    return new AntennaContractError({
      violation: 'off_schema',
      status: 200,
      method: this.#operation.method,
      path: fillPath(this.#operation.path, this.#params),
      requestId: '',
      attempts: 1,
      bodyPath,
      leftOut,
      reason: `the answer is not what Antenna sends: ${bodyPath}: ${what}`,
    });
  }
}

/** Refuses a page size that the server would take for its own default without a word (trap T18). */
export const LIST_OPTIONS: { readonly [Name in keyof Required<ListOptions>]: Check } = {
  limit: isCount(1),
  offset: isCount(0),
};
