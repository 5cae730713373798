import { Credential } from '../auth/credential.js';
import type { AntennaClient } from '../client/client.js';
import type { ProcessingService } from '../contract/processing-services.js';
import type { RegistrationReport } from '../registration/report.js';
import { findService, type FoundService } from './find-service.js';
import { deviationNotes, unregisteredNotes } from './notes.js';
import type { Plan } from './plan.js';
import { Refusal, type Progress } from './progress.js';
import { ProvisionedKey } from '../auth/provisioned-key.js';
import type { Outcome } from './result.js';

/** Servers of the `api-key` dialect: a service, its key, and a registration with that key. */
export async function withKey(
  client: AntennaClient,
  plan: Plan,
  progress: Progress,
  found: FoundService,
): Promise<Outcome> {
  const service = found.service ?? (await createService(client, plan, progress));
  const hadKey = typeof service.api_key_prefix === 'string' && service.api_key_prefix !== '';
  const key = !hadKey || plan.rotateKey ? await generateKey(client, plan, progress, service) : undefined;
  const registration = await register(client, plan, progress, service, key);
  const rotated = key !== undefined && hadKey;
  const outcome = rotated ? 'rotated' : 'generated';
  return {
    service: key === undefined ? service : { ...service, api_key_prefix: key.prefix },
    serviceOutcome: found.service ? 'found' : 'created',
    key,
    keyOutcome: key === undefined ? 'kept' : outcome,
    registration,
    notes: [
      ...(rotated ? ['The keys that the service had before ended at once'] : []),
      ...(registration ? deviationNotes(registration) : unregisteredNotes(plan, service)),
    ],
  };
}

async function createService(
  client: AntennaClient,
  plan: Plan,
  progress: Progress,
): Promise<ProcessingService> {
  const { project, serviceName: name, request } = plan;
  const service = await progress.step('create_service', () =>
    client.processingServices.create(project, { name }, request),
  );
  progress.serviceId = service.id;
  // Somebody else may have created one at the same moment; with two, nobody can tell later which is the right one.
  await progress.step('find_service', () => findService(client, plan));
  return service;
}

async function generateKey(
  client: AntennaClient,
  plan: Plan,
  progress: Progress,
  service: ProcessingService,
): Promise<ProvisionedKey> {
  const { api_key } = await progress.step('generate_key', () =>
    client.processingServices.generateKey(plan.project, service.id, plan.request),
  );
  progress.key = new ProvisionedKey(api_key);
  return progress.key;
}

/** With the new key, or the one that the caller has; without any there is nothing to register with. */
async function register(
  client: AntennaClient,
  { project, pipelines, request, currentKey }: Plan,
  progress: Progress,
  service: ProcessingService,
  key: ProvisionedKey | undefined,
): Promise<RegistrationReport | undefined> {
  if (pipelines.length === 0 || (key ?? currentKey) === undefined) return undefined;
  return progress.step('register_pipelines', async () => {
    const credential = key ? Credential.apiKey(ProvisionedKey.open(key).reveal()) : currentKey;
    // Both prefixes are public. The key of another service would register the pipelines there.
    if (key === undefined && credential?.prefix !== service.api_key_prefix) {
      throw new Refusal('wrong_key', `currentKey is not the newest key of service ${service.id}`);
    }
    return client.pipelines.register(project, pipelines, { ...request, credential, dialect: 'api-key' });
  });
}
