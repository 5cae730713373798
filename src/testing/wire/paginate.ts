import type { Call } from './call.js';

/** How a list is cut into pages; `count` differs from the number of rows only where the real server's does. */
export interface PageOptions {
  readonly defaultLimit: number;
  readonly count?: number;
  /** `user_permissions` of the page itself. */
  readonly permissions: readonly string[];
}

/** Limit/offset pagination (contract §1.4): a limit that is invalid, zero or negative is silently the default (T18). */
export function paginate<Row>(
  call: Call,
  rows: readonly Row[],
  options: PageOptions,
  serialize: (row: Row) => unknown,
): Record<string, unknown> {
  const limit = readInteger(call.query.get('limit'), 1) ?? options.defaultLimit;
  const offset = readInteger(call.query.get('offset'), 0) ?? 0;
  const count = options.count ?? rows.length;
  const link = (changes: Record<string, number | undefined>): string =>
    `${call.request.origin}${call.request.path}?${call.query.with({ limit, ...changes })}`;
  const back = offset - limit;
  return {
    count,
    next: offset + limit >= count ? null : link({ offset: offset + limit }),
    previous: offset <= 0 ? null : link({ offset: back <= 0 ? undefined : back }),
    results: offset > count ? [] : rows.slice(offset, offset + limit).map(serialize),
    user_permissions: options.permissions,
  };
}

function readInteger(text: string | undefined, minimum: number): number | undefined {
  if (text === undefined || !/^\s*[+-]?\d+\s*$/.test(text)) return undefined;
  const value = Number(text);
  return value >= minimum ? value : undefined;
}
