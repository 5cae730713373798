import type { OperationInput, QueryValue } from '../http/operation.js';

/**
 * Under which name an answer is kept: whose it is, of which server, of which operation, with which arguments. Each part is there
 * because some library left it out and handed one caller what another had asked for.
 * @param fingerprint - of the credential, or a word for none; never the credential.
 * @param baseUrl - of the API.
 */
export function cacheKey(
  fingerprint: string,
  baseUrl: string,
  operation: string,
  input: Pick<OperationInput, 'params' | 'query'>,
): string {
  return JSON.stringify([fingerprint, baseUrl, operation, canonical(input.params), canonical(input.query)]);
}

/** Sorted by name, as text, without what is not sent: the order in which arguments are given and `1` for `'1'` make no difference. */
function canonical(values: Readonly<Record<string, QueryValue>> = {}): readonly string[] {
  return Object.keys(values)
    .sort()
    .flatMap((name) => {
      const value = values[name];
      return value === undefined || value === null ? [] : [name, String(value)];
    });
}
