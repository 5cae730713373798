import type { AntennaClient, AntennaClientOptions, Dialect, PipelineConfig } from 'antenna-sdk';
import { createContractServer, type ContractServer, type ProjectHandle } from 'antenna-sdk/testing';
import { setupServer } from 'msw/node';
import { config } from '../registration/samples.js';
import { clientOf } from '../support/calls.js';

export const CARRIERS = ['socket', 'msw'] as const;

/** A server with a project, and clients for it. */
export interface World {
  readonly server: ContractServer;
  readonly project: ProjectHandle;
  /** What every provisioning here asks for. */
  readonly ask: { project: number; serviceName: string; pipelines: readonly PipelineConfig[] };
  client(options: AntennaClientOptions): AntennaClient;
  staff(options?: AntennaClientOptions): AntennaClient;
  /** Paths of the requests that would change something, in order. */
  writes(): string[];
}

const closers: (() => unknown)[] = [];

/** For `afterEach`, after the clients. */
export async function closeWorlds(): Promise<void> {
  for (const close of closers.splice(0)) await close();
}

export async function world(
  dialect: Dialect = 'api-key',
  carrier: (typeof CARRIERS)[number] = 'socket',
): Promise<World> {
  const server = createContractServer({ dialect });
  const project = server.project({ name: 'Meadow' });
  const superuser = server.user({ superuser: dialect === 'token', staff: true });
  closers.push(() => server.close());
  let base: AntennaClientOptions & { baseUrl: string };
  if (carrier === 'socket') base = { baseUrl: (await server.listen()).url };
  else {
    const msw = setupServer(...server.handlers);
    msw.listen({ onUnhandledRequest: 'error' });
    closers.push(() => {
      msw.close();
    });
    base = { baseUrl: server.baseUrl, fetch: (input, init) => fetch(input, init) };
  }
  const client = (options: AntennaClientOptions) => clientOf(base.baseUrl, { ...base, ...options });
  return {
    server,
    project,
    ask: { project: project.id, serviceName: 'moth-worker', pipelines: [config()] },
    client,
    staff: (options = {}) => client({ token: superuser.token, ...options }),
    writes: () =>
      server.requests
        .filter(({ method }) => method !== 'GET')
        .map(({ method, path }) => `${method} ${path.replace('/api/v2', '')}`),
  };
}
