import { assertOptions } from '../check.js';
import type { Antenna } from '../antenna.js';
import { HEX } from '../random.js';
import type { UserRow } from '../state/rows.js';

/** A user account to make. */
export interface UserOptions {
  readonly id?: number;
  /** Default `user<n>@example.org`. */
  readonly email?: string;
  /** Default `password`. */
  readonly password?: string;
  readonly name?: string;
  /** Superusers see and do everything; in the `token` dialect only they may take tasks (T11). */
  readonly superuser?: boolean;
  /** Staff may create services and keys. */
  readonly staff?: boolean;
  /** Default true; an inactive user's token answers 401. */
  readonly active?: boolean;
  /** 40 hex digits. Default: random. */
  readonly token?: string;
}

/** A user account. */
export class UserHandle {
  readonly #row: UserRow;

  constructor(row: UserRow) {
    this.#row = row;
  }

  get id(): number {
    return this.#row.id;
  }

  get email(): string {
    return this.#row.email;
  }

  get password(): string {
    return this.#row.password;
  }

  /** The user's token. @throws Error after a logout, until the next login makes a new one. */
  get token(): string {
    if (this.#row.token === null)
      throw new Error(`${this.#row.email} has no token: it logged out and not in again.`);
    return this.#row.token;
  }

  /** Deletes the token, as a logout from anywhere does. */
  logout(): void {
    this.#row.token = null;
  }

  /** Makes the account inactive: its token answers 401 from now on. */
  deactivate(): void {
    this.#row.active = false;
  }
}

export function addUser(antenna: Antenna, options: UserOptions): UserHandle {
  assertOptions('user', options, {
    ...{ id: ['number'], email: ['string'], password: ['string'], name: ['string'], token: ['string'] },
    ...{ superuser: ['boolean'], staff: ['boolean'], active: ['boolean'] },
  });
  const { users } = antenna.store;
  const id = users.takeId(options.id);
  return new UserHandle(
    users.add({
      id,
      email: options.email ?? `user${id}@example.org`,
      name: options.name ?? '',
      password: options.password ?? 'password',
      superuser: options.superuser ?? false,
      staff: options.staff ?? false,
      active: options.active ?? true,
      token: options.token ?? antenna.random.text(40, HEX),
    }),
  );
}
