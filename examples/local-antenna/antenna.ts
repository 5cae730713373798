import { createContractServer, type ContractServer, type ProjectHandle } from 'antenna-sdk/testing';

/** An Antenna on loopback, with a project in which nothing is yet. */
export interface LocalAntenna {
  readonly server: ContractServer;
  readonly url: string;
  readonly project: ProjectHandle;
  close(): Promise<void>;
}

export async function startAntenna(): Promise<LocalAntenna> {
  const server = createContractServer({ dialect: 'api-key', emptyWaitMs: 1 });
  const project = server.project({ name: 'Meadow' });
  const { url } = await server.listen();
  return { server, url, project, close: () => server.close() };
}
