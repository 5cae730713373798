import type { Credential, Scheme } from '../auth/credential.js';
import { toCredentialError } from '../auth/provider-fault.js';
import { Secret } from '../auth/secret.js';
import {
  loginRequestSchema,
  loginResponseSchema,
  userSchema,
  type LoginRequest,
  type User,
} from '../contract/auth.js';
import { AntennaAbortError } from '../errors/connection.js';
import { checkOptions } from '../errors/arguments.js';
import { checkedHeaders, REQUEST_OPTIONS } from '../http/request-parts.js';
import type { Operation, RequestOptions } from '../http/operation.js';
import { checkRequest, type ResourceCore } from './core.js';

const LOGIN: Operation<{ auth_token: string }> = {
  id: 'auth.login',
  method: 'POST',
  path: '/auth/token/login/',
  replay: 'always',
  response: loginResponseSchema,
  anonymous: true,
  sensitive: true,
};
const LOGOUT: Operation<undefined> = {
  id: 'auth.logout',
  method: 'POST',
  path: '/auth/token/logout/',
  replay: 'if-not-delivered',
  response: null,
};
const ME: Operation<User> = {
  id: 'auth.me',
  method: 'GET',
  path: '/users/me/',
  replay: 'always',
  response: userSchema,
};

/** What may be said about the credential that the next request would carry. */
export interface CredentialHint {
  readonly scheme: Scheme;
  /** An API key's public prefix, its first 8 characters; undefined for anything else. */
  readonly prefix: string | undefined;
}

/** Logging in and out, and who the caller is. */
export class AuthResource {
  readonly #core: ResourceCore;

  constructor(core: ResourceCore) {
    this.#core = core;
  }

  /**
   * Gets the user's token. It has no expiry and is the same for every login of that user until a logout deletes it.
   * Sent without the client's own credential: a stale one would turn the login into a 401 (trap T13).
   * @returns the token, unprintable; pass it on as the `token` option of a client.
   * @throws BadRequestError when e-mail or password is wrong or the user inactive: the server does not say which.
   */
  async login(request: LoginRequest, options?: RequestOptions): Promise<{ auth_token: Secret }> {
    const body = checkRequest(loginRequestSchema, request, 'Invalid login');
    const answer = await this.#core.http.request(LOGIN, { body }, options);
    return { auth_token: new Secret(answer.auth_token) };
  }

  /** Deletes the user's only token: every client and worker that uses this account is logged out with it (trap T12). */
  async logout(options?: RequestOptions): Promise<void> {
    await this.#core.http.request(LOGOUT, {}, options);
  }

  /**
   * The user behind the token.
   * @throws PermissionDeniedError with an API key: it belongs to a service, not to a user.
   */
  me(options?: RequestOptions): Promise<User> {
    return this.#core.http.request(ME, {}, options);
  }

  /**
   * What the next request would carry, without a word of the secret; undefined if nothing. Asks the token provider if there is one and sends
   * nothing to Antenna.
   * @throws CredentialError when the token provider gives none.
   */
  async credential(options: Pick<RequestOptions, 'signal'> = {}): Promise<CredentialHint | undefined> {
    checkOptions('Invalid arguments', options, REQUEST_OPTIONS);
    // Not sent, and wrong all the same: the same options go to the calls that follow.
    checkedHeaders((options as RequestOptions).headers ?? {});
    const { credentials } = this.#core.http.options;
    const signal = options.signal ?? new AbortController().signal;
    let credential: Credential | undefined;
    try {
      signal.throwIfAborted();
      credential = await credentials.get({ reason: 'initial', signal });
    } catch (error) {
      if (signal.aborted) throw new AntennaAbortError({ cause: signal.reason, delivered: 'no' });
      throw toCredentialError(error);
    }
    return credential && { scheme: credential.scheme, prefix: credential.prefix };
  }
}
