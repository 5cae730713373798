import type { AntennaClient } from '../client/client.js';
import type { ProcessingService } from '../contract/processing-services.js';
import { findService, type FoundService } from './find-service.js';
import { deviationNotes } from './notes.js';
import type { Plan } from './plan.js';
import { Refusal, type Progress } from './progress.js';
import type { Outcome } from './result.js';

/** Servers of the `token` dialect: registering under a name finds the service of that name, anywhere on the server, or creates it. */
export async function byName(
  client: AntennaClient,
  plan: Plan,
  progress: Progress,
  before: FoundService,
): Promise<Outcome> {
  const { project, serviceName, pipelines, request } = plan;
  const registration = await progress.step('register_pipelines', () =>
    client.pipelines.register(project, pipelines, { ...request, serviceName, dialect: 'token' }),
  );
  const service = await progress.step('find_service', () => findRegistered(client, plan));
  const elsewhere = (service.projects ?? []).filter((id) => id !== project);
  const shared = before.service === undefined && elsewhere.length > 0;
  return {
    service,
    serviceOutcome: before.service === undefined && !shared ? 'created' : 'found',
    key: undefined,
    keyOutcome: 'unsupported',
    registration,
    notes: [
      ...(shared
        ? [
            `Service ${service.id} of this name existed and works for other projects too (${elsewhere.join(', ')}): names are the whole server's; ` +
              'use another one if it is not yours',
          ]
        : []),
      'This server has no API keys: its workers need the token of a superuser, and the same serviceName',
      ...deviationNotes(registration),
    ],
  };
}

async function findRegistered(client: AntennaClient, plan: Plan): Promise<ProcessingService> {
  const { service } = await findService(client, plan);
  if (service) return service;
  const name = JSON.stringify(plan.serviceName);
  throw new Refusal('unexpected', `the server took the registration and shows no service ${name}`);
}
