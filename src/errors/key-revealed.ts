import { AntennaError } from './base.js';

/** A generated key was asked for a second time. It is shown once, as the server shows it once. */
export class KeyRevealedError extends AntennaError {
  static override readonly className: string = 'KeyRevealedError';

  /** @param prefix - the key's public prefix. */
  constructor(prefix: string) {
    super({
      code: 'key_revealed',
      message:
        `The key ${prefix}… was revealed before and is shown once: use the text you took then. If it is lost, provision ` +
        'again with rotateKey: true, which ends this key at once',
    });
  }
}
