import { CredentialError } from '../errors/credential.js';

const CLASS_NAME = /^[A-Z][A-Za-z0-9]{0,40}$/;
/** `ECONNREFUSED`, `invalid_client`, `ERR_TLS_CERT_ALTNAME_INVALID`: words, never the letter-and-digit soup of a key. */
const CODE = /^(?:[A-Z]+(?:_[A-Z0-9]+)*|[a-z]+(?:_[a-z]+)*)$/;
const MAX_CODE_CHARS = 40;

/**
 * Turns whatever a provider threw into an error that can be shown: class name, code and HTTP status, nothing else of it. Its message may
 * hold the request that failed, client secret included (axios does). A `CredentialError` is the provider's own choice of words.
 */
export function toCredentialError(thrown: unknown): CredentialError {
  if (thrown instanceof CredentialError) return thrown;
  const chain = [thrown, thrown instanceof Error ? thrown.cause : undefined];
  const code = chain
    .map((link) => textField(link, 'code'))
    .find((text) => text !== undefined && isCode(text));
  const status = chain.map(statusOf).find((found) => found !== undefined);
  const name = textField(thrown, 'name');
  const facts = [
    name !== undefined && CLASS_NAME.test(name) ? name : describeType(thrown),
    ...(code === undefined ? [] : [`code ${code}`]),
    ...(status === undefined ? [] : [`status ${status}`]),
  ];
  return new CredentialError(
    `The token provider failed (${facts.join(', ')}): check that its issuer can be reached and knows this client. ` +
      'Its message is withheld, as it may hold a secret; throw a CredentialError in the provider to show your own',
  );
}

function isCode(text: string): boolean {
  return text.length <= MAX_CODE_CHARS && CODE.test(text);
}

function textField(value: unknown, field: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const found = (value as Record<string, unknown>)[field];
  return typeof found === 'string' ? found : undefined;
}

function statusOf(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null || !('status' in value)) return undefined;
  const { status } = value;
  return typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 599
    ? status
    : undefined;
}

function describeType(thrown: unknown): string {
  return thrown instanceof Error ? 'Error' : `a thrown ${thrown === null ? 'null' : typeof thrown}`;
}
