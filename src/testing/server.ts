import type { HttpHandler } from 'msw';
import type { ContractServerOptions } from './options.js';
import { ContractServerCore } from './server-core.js';
import { createHandlers } from './transport/msw.js';

export type { SavingControl, ServerClock } from './server-core.js';

/** An Antenna in memory. Make one with {@link createContractServer}. */
export class ContractServer extends ContractServerCore {
  /** Handlers for MSW: `setupServer(...server.handlers)`. */
  readonly handlers: readonly HttpHandler[];

  constructor(options: ContractServerOptions) {
    super(options);
    this.handlers = createHandlers((request) => this.exchange(request), this.baseUrl);
  }
}

/**
 * Makes an Antenna in memory that answers as the real server does.
 *
 * @example
 * ```ts
 * const server = createContractServer({ dialect: 'api-key' });
 * const project = server.project({ name: 'Meadow' });
 * const key = project.service().key();
 * const pipeline = project.pipeline({ slug: 'moths' });
 * const job = project.job({ pipeline, images: ['https://images.example/1.jpg'] });
 * ```
 */
export function createContractServer(options: ContractServerOptions): ContractServer {
  return new ContractServer(options);
}
