import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { AntennaConfigError } from '../errors/config.js';
import { checkArguments, isString } from '../errors/arguments.js';
import { API_KEY_PATTERN, Secret } from './secret.js';

/** How a credential is written into a header. `header` is any other header or prefix. */
export type Scheme = 'Api-Key' | 'Token' | 'Bearer' | 'header';

// A header value with a control character either throws deep inside the HTTP library, with the value in its message, or
// smuggles a second header. Spaces split the value for the server: two after `Api-Key` are a 401 (contract §2.1).
const UNSAFE = /[\u0000-\u0020\u007f-\u{10ffff}]/u;
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** Headers that frame the message; a credential in one of them would break the request instead of signing it. */
const RESERVED = new Set([
  'host',
  'content-length',
  'content-type',
  'transfer-encoding',
  'connection',
  'accept',
]);

/**
 * One credential, ready to be sent. Opaque: it shows its scheme and, for an API key, its public prefix. It travels in the
 * request, never through a field of the client that two tenants could race for. Only the transport opens it.
 */
export class Credential {
  readonly scheme: Scheme;
  readonly #header: string;
  readonly #value: string;
  readonly #secret: Secret;
  #fingerprint: string | undefined;

  private constructor(scheme: Scheme, header: string, prefix: string, secret: string) {
    assertSafe(secret);
    this.scheme = scheme;
    this.#header = header.toLowerCase();
    this.#value = prefix === '' ? secret : `${prefix} ${secret}`;
    this.#secret = new Secret(secret);
  }

  /** `Authorization: Api-Key prefix.secret`, for servers of the `api-key` dialect. */
  static apiKey(key: string): Credential {
    return new Credential('Api-Key', 'authorization', 'Api-Key', key);
  }

  /** `Authorization: Token …`: a user's token. */
  static token(token: string): Credential {
    return new Credential('Token', 'authorization', 'Token', token);
  }

  /** `Authorization: Bearer …`, for a gateway in front of Antenna. Antenna itself ignores it. */
  static bearer(token: string): Credential {
    return new Credential('Bearer', 'authorization', 'Bearer', token);
  }

  /**
   * Any header, with or without a word before the value.
   * @throws AntennaConfigError if the header's name is not a valid or a usable one.
   */
  static header(name: string, value: string, prefix = ''): Credential {
    checkArguments({ name, value, prefix }, { name: isString, value: isString, prefix: isString });
    const issues = [];
    if (!HEADER_NAME.test(name)) issues.push({ path: 'header.name', message: 'is not a valid header name' });
    else if (RESERVED.has(name.toLowerCase())) {
      issues.push({
        path: 'header.name',
        message: `${name} frames the request and cannot carry a credential`,
      });
    }
    if (prefix !== '' && UNSAFE.test(prefix)) {
      issues.push({ path: 'header.prefix', message: 'must be printable ASCII without spaces' });
    }
    if (issues.length > 0) throw new AntennaConfigError('Invalid credential', issues);
    return new Credential('header', name, prefix, value);
  }

  /** An API key's first 8 characters, which the server publishes; undefined for any other credential. */
  get prefix(): string | undefined {
    return API_KEY_PATTERN.test(this.#secret.reveal()) ? this.#secret.reveal().slice(0, 8) : undefined;
  }

  /** Whether both would put the same header on a request. */
  equals(other: Credential): boolean {
    return this.#header === other.#header && this.#value === other.#value;
  }

  /** What may be shown: scheme, and an API key's prefix. */
  toString(): string {
    return `[credential ${this.scheme} ${this.#secret.hint}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }

  /**
   * The full SHA-256 of the header that the credential makes, in hexadecimal: tells credentials apart without holding one. Cut short it
   * would tell fewer apart, and one caller would be shown what another asked for.
   * @internal
   */
  static fingerprint(credential: Credential): string {
    credential.#fingerprint ??= createHash('sha256')
      .update(`${credential.#header}: ${credential.#value}`)
      .digest('hex');
    return credential.#fingerprint;
  }

  /** For the transport alone. @internal */
  static open(credential: Credential): {
    readonly name: string;
    readonly value: string;
    readonly secret: string;
  } {
    return { name: credential.#header, value: credential.#value, secret: credential.#secret.reveal() };
  }
}

function assertSafe(secret: string): void {
  if (typeof secret !== 'string')
    throw new AntennaConfigError('Invalid credential', [{ path: 'credential', message: 'must be a text' }]);
  if (secret !== '' && !UNSAFE.test(secret)) return;
  // The message must not quote the value, not even the bad character: it may be half a key.
  const message =
    secret === ''
      ? 'is empty'
      : SCHEME_WORD.test(secret)
        ? LEAVE_OUT
        : 'has a space, a control or a non-ASCII character, often the line break of a file: trim it';
  throw new AntennaConfigError('Invalid credential', [{ path: 'credential', message }]);
}

/** What a header's value begins with; copied along with the key, or out of a file for curl. */
const SCHEME_WORD = /^\s*(?:authorization\s*:|api-key\s|token\s|bearer\s)/i;
const LEAVE_OUT = 'begins with the word of a scheme: leave that out, and give the key or token alone';

/** Why a string cannot be an API key, without quoting it; undefined if it can. */
export function apiKeyProblem(key: string): string | undefined {
  if (API_KEY_PATTERN.test(key)) return undefined;
  if (/^[0-9a-f]{40}$/.test(key))
    return 'looks like a user token (40 hexadecimal digits): pass it as `token`';
  if (SCHEME_WORD.test(key)) return LEAVE_OUT;
  if (/\s/.test(key)) return 'contains white space: trim it';
  return `must look like prefix.secret, 8 + 32 letters and digits with a dot between; this one has ${key.length} characters`;
}

/** Why a string cannot be a user token, without quoting it; undefined if it can. */
export function userTokenProblem(token: string): string | undefined {
  if (/^[0-9a-f]{40}$/.test(token)) return undefined;
  if (SCHEME_WORD.test(token)) return LEAVE_OUT;
  if (API_KEY_PATTERN.test(token)) return 'looks like an API key (prefix.secret): pass it as `apiKey`';
  return `must be 40 lowercase hexadecimal digits; this one has ${token.length} characters`;
}
