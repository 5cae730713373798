import type { Secret } from '../auth/secret.js';
import { userSchema, type User } from '../contract/auth.js';
import type { LoginRequest } from '../contract/login.js';
import type { Operation, RequestOptions } from '../http/operation.js';
import { late } from '../time/late.js';
import type { ResourceCore } from './core.js';
import type { CredentialHint } from './login.js';

const logins = late(() => import('./login.js'));

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
    return (await logins()).login(this.#core, request, options);
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
    return (await logins()).credentialHint(this.#core, options);
  }
}
