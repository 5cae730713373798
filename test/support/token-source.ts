import {
  Credential,
  type CredentialRequest,
  type Logger,
  type TokenProvider,
  type TokenRequest,
} from 'antenna-sdk';
import { createTestClock } from 'antenna-sdk/testing';
import { TokenSource, type TokenSourceOptions } from '../../src/auth/token-source.js';

/** A source on a clock that stands still, with what its provider was asked and what it logged. */
export function tokenBench(provider: TokenProvider, options: Partial<TokenSourceOptions> = {}) {
  const clock = createTestClock();
  const asked: TokenRequest[] = [];
  const logged: string[] = [];
  const note =
    (level: string): Logger['warn'] =>
    (_fields, message) =>
      logged.push(`${level}: ${message}`);
  const source = new TokenSource({
    provider: (request) => {
      asked.push(request);
      return provider(request);
    },
    clock,
    random: () => 0.5,
    scheme: 'Bearer',
    timeoutMs: 20_000,
    refreshWindowMs: 300_000,
    logger: { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') },
    ...options,
  });
  const raw = (request: Partial<CredentialRequest> = {}) =>
    source.get({ reason: 'initial', signal: new AbortController().signal, ...request });
  return {
    clock,
    source,
    asked,
    logged,
    raw,
    reasons: () => asked.map(({ reason }) => reason),
    /** The token that a request would carry; undefined for "nothing newer". */
    get: async (request: Partial<CredentialRequest> = {}) => {
      const credential = await raw(request);
      return credential && Credential.open(credential).secret;
    },
    endsIn: (ms: number) => new Date(clock.wallNow() + ms),
  };
}

/** A promise that a test settles when it likes. */
export function deferred<Value>() {
  let resolve: (value: Value) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<Value>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
