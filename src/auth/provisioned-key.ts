import { inspect } from 'node:util';
import { API_KEY_PATTERN, Secret } from './secret.js';
import { KeyRevealedError } from '../errors/credential.js';
import { checkArguments, isA } from '../errors/arguments.js';

/**
 * A key that was generated just now. Opaque: printed, logged, cloned or serialised it shows its public prefix. Its text comes out
 * through {@link ProvisionedKey.reveal}, once, and goes to a file through {@link writeKeyFile} without being shown.
 */
export class ProvisionedKey {
  /** The key's first 8 characters, which the server publishes; empty for a key of another form, of which nothing is known to be public. */
  readonly prefix: string;
  readonly #secret: Secret;
  #revealed = false;

  /** @throws AntennaConfigError for what is no `Secret`. */
  constructor(secret: Secret) {
    checkArguments({ secret }, { secret: isA(Secret) });
    const text = secret.reveal();
    // Taken from the key: what the server calls its prefix would be printed, whatever it is.
    this.prefix = API_KEY_PATTERN.test(text) ? text.slice(0, 8) : '';
    this.#secret = secret;
    Object.freeze(this);
  }

  /** Whether {@link reveal} was called. */
  get revealed(): boolean {
    return this.#revealed;
  }

  /**
   * The key itself, once: hand it to a secret store, do not log it.
   * @throws KeyRevealedError the second time.
   */
  reveal(): string {
    if (this.#revealed) throw new KeyRevealedError(this.prefix);
    this.#revealed = true;
    return this.#secret.reveal();
  }

  toString(): string {
    return `[key ${this.prefix}…]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }

  /** For writing it to a file and for registering with it; neither shows it. @internal */
  static open(key: ProvisionedKey): Secret {
    return key.#secret;
  }
}
