import { AntennaClient, silentLogger, type AntennaClientOptions, type FetchLike } from 'antenna-sdk';
import { stubServer, type Answer, type StubServer } from './stub-server.js';

export const KEY = `abcdefgh.${'k'.repeat(32)}`;
export const TOKEN = '0123456789abcdef0123456789abcdef01234567';
export const PROJECT = { id: 1, name: 'Meadow' };

const closers: (() => Promise<void>)[] = [];

/** A stub that {@link closeAll} closes. */
export async function serve(answer: Answer): Promise<StubServer> {
  const stub = await stubServer(answer);
  closers.push(() => stub.close());
  return stub;
}

/** A quiet client without jitter that {@link closeAll} closes; with a key unless the options bring a credential. */
export function clientOf(baseUrl: string, options: AntennaClientOptions = {}): AntennaClient {
  const signs = ['apiKey', 'token', 'header', 'credentials'].some((name) => name in options);
  const client = new AntennaClient({
    // What is kept sends no request, and requests are what is looked at.
    cache: false,
    baseUrl,
    ...(signs ? {} : { apiKey: KEY }),
    logger: silentLogger,
    random: () => 0,
    clientInfo: false,
    ...options,
  });
  closers.push(() => client.close());
  return client;
}

/** A client whose requests end in this function. */
export function clientOver(fetch: FetchLike, options: AntennaClientOptions = {}): AntennaClient {
  return clientOf('https://antenna.example', { fetch, ...options });
}

/** Closes what a test opened; for `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

export type Failure = Error & Record<string, unknown>;

/** The error of work that must fail. */
export async function failure(work: Promise<unknown> | PromiseLike<unknown>): Promise<Failure> {
  try {
    await work;
  } catch (error) {
    return error as Failure;
  }
  throw new Error('it should have failed');
}

/** The error of code that must throw. */
export function thrown(run: () => unknown): Failure {
  try {
    run();
  } catch (error) {
    return error as Failure;
  }
  throw new Error('it should have thrown');
}

/** Turns of the event loop: for promises and sockets to settle where no clock moves. */
export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}

/** Waits for what sockets do, never for policy. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}
