import { inspect } from 'node:util';
import { checkArguments, isString } from '../errors/arguments.js';

/** Full form of an Antenna API key: 8 + 1 + 32 letters and digits (contract §2.3). */
export const API_KEY_PATTERN = /^[A-Za-z0-9]{8}\.[A-Za-z0-9]{32}$/;
/** Form of a user token: 40 lowercase hexadecimal digits (contract §2.1). */
export const USER_TOKEN_PATTERN = /^[0-9a-f]{40}$/;

/**
 * A secret that cannot be printed by accident. `util.inspect`, `String`, `JSON.stringify`, `structuredClone`, template literals and
 * loggers see a mask; of an API key they see its 8-character prefix, which the server publishes anyway. The value comes out
 * through {@link Secret.reveal} alone.
 */
export class Secret {
  readonly #value: string;

  /** @throws AntennaConfigError for what is no text, without quoting it. */
  constructor(value: string) {
    checkArguments({ value }, { value: isString });
    this.#value = value;
  }

  /** The secret itself. Store it, do not log it. */
  reveal(): string {
    return this.#value;
  }

  /** What may be shown of it: an API key's prefix, or nothing. */
  get hint(): string {
    return API_KEY_PATTERN.test(this.#value) ? `${this.#value.slice(0, 8)}…` : '…';
  }

  toString(): string {
    return `[secret ${this.hint}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}
