import { createPrivateKey, webcrypto, type KeyObject } from 'node:crypto';
import { AntennaConfigError } from '../errors/config.js';

type Algorithm = webcrypto.RsaHashedImportParams | webcrypto.EcKeyImportParams | { readonly name: string };

const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

/**
 * Reads a private key for signing, from PEM (PKCS#8 or the older PKCS#1 and SEC 1 forms): RSA signs as RS256, RSA-PSS as PS256, P-256, P-384
 * and P-521 as ES256, ES384 and ES512, and Ed25519 as EdDSA.
 * @throws AntennaConfigError without any part of the key.
 */
export async function importPrivateKey(pem: string): Promise<webcrypto.CryptoKey> {
  const key = parsePem(pem);
  const der = key.export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', der, algorithmOf(key), false, ['sign']);
}

function parsePem(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's words say little, and may say too much.
    throw unusable('is not a private key in PEM, or is protected by a passphrase');
  }
}

function algorithmOf(key: KeyObject): Algorithm {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
    case 'rsa-pss':
      return { name: 'RSA-PSS', hash: 'SHA-256' };
    case 'ed25519':
      return { name: 'Ed25519' };
    case 'ec': {
      const namedCurve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''];
      if (namedCurve !== undefined) return { name: 'ECDSA', namedCurve };
      throw unusable('is on a curve that OAuth does not know: use P-256');
    }
    default:
      throw unusable(`is of type ${key.asymmetricKeyType ?? 'unknown'}: use RSA, P-256 or Ed25519`);
  }
}

function unusable(message: string): AntennaConfigError {
  return new AntennaConfigError('Invalid clientCredentials options', [{ path: 'privateKey', message }]);
}
