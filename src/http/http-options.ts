import type { Credential } from '../auth/credential.js';
import type { CredentialSource } from '../auth/source.js';
import type { Logger } from '../log/logger.js';
import type { Clock } from '../time/clock.js';
import type { TellLeftOut } from './late-left-out-report.js';
import type { Operation, OperationInput, RequestOptions } from './operation.js';
import type { Transport } from './transport.js';

/** Keeps answers: the request path knows no more of a cache than this. */
export interface RequestCache {
  /** How long an answer may be kept, in milliseconds; 0 if this call is none of its business. */
  ttlMs(operation: Operation<unknown>, options: RequestOptions): number;
  /** Answers a call for which {@link ttlMs} is not 0, by `send` if it must. */
  request<Result>(
    operation: Operation<Result>,
    input: OperationInput,
    options: RequestOptions,
    send: (input: OperationInput, options: RequestOptions) => Promise<Result>,
  ): Promise<Result>;
  /** The server refused a credential: what it was given before is forgotten. */
  refused(credential: Credential | undefined): void;
  /** A request that may have changed something was sent. */
  sent(operationId: string, credential: Credential | undefined): void;
}

/** What the request path is made of. */
export interface HttpClientOptions {
  readonly baseUrl: URL;
  readonly transport: Transport;
  readonly credentials: CredentialSource;
  readonly clock: Clock;
  /** In [0, 1); for jitter. */
  readonly random: () => number;
  readonly logger: Logger;
  /** Told of what could not be read of an answer. */
  readonly leftOut: TellLeftOut;
  /** Milliseconds for a whole call, retries included. */
  readonly timeoutMs: number;
  /** Milliseconds for one attempt of any operation; undefined for what each operation needs. */
  readonly attemptTimeoutMs: number | undefined;
  readonly retries: number;
  /** For every request; checked, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** True if nobody on the way can read along; without it no password is sent and no key asked for. */
  readonly confidential: boolean;
  /** Keeps answers; absent: none. */
  readonly cache?: RequestCache | undefined;
}
