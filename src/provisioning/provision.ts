import { deepFreeze } from '../cache/freeze.js';
import { AntennaClient } from '../client/client.js';
import { checkArguments, isA } from '../errors/arguments.js';
import { byName } from './by-name.js';
import { findService, type FoundService } from './find-service.js';
import { draftNotes } from './notes.js';
import { checkedPlan, type Plan, type ProvisionOptions } from './plan.js';
import { Progress, Refusal } from './progress.js';
import type { Provisioned } from './result.js';
import { withKey } from './with-key.js';

/**
 * Makes a project ready for workers: finds the service by name or creates it, generates a key if it has none (or with `rotateKey`),
 * and registers the pipelines. The client needs a staff user's token. Running it again changes nothing that is as asked.
 *
 * ```ts
 * const { key, notes } = await provision(client, { project: 1, serviceName: 'moth-worker', pipelines: [moths.config] });
 * if (key) await writeKeyFile('/etc/antenna/api-key', key);
 * ```
 *
 * Two provisionings of one name at the same moment can make two services, as the server has no unique names: the later one notices, and
 * fails with `duplicate_service` before it makes a key.
 * @throws AntennaConfigError before anything is sent, naming every wrong option.
 * @throws ProvisioningError for everything after that: what was done, what is left to do, and a key that was generated already.
 */
export async function provision(client: AntennaClient, options: ProvisionOptions): Promise<Provisioned> {
  checkArguments({ client }, { client: isA(AntennaClient) });
  const plan = checkedPlan(options);
  const progress = new Progress(`service ${JSON.stringify(plan.serviceName)} in project ${plan.project}`);
  // Tells a wrong credential from a missing right before the first change; an API key has no user.
  await progress.step('check_user', () => client.auth.me(plan.request));
  // A draft that the user does not see hides its services too: each run would make another one.
  const project = await progress.step('find_project', () => client.projects.get(plan.project, plan.request));
  const found = await progress.step('find_service', () => findService(client, plan));
  progress.serviceId = found.service?.id;
  await progress.step('find_dialect', () => assertDialect(client, plan, found));
  const run = plan.dialect === 'token' ? byName : withKey;
  const outcome = await run(client, plan, progress, found);
  return deepFreeze({
    ...outcome,
    dialect: plan.dialect,
    project: { id: project.id, name: project.name, draft: project.draft === true },
    notes: [...outcome.notes, ...draftNotes(plan, project)],
  });
}

async function assertDialect(client: AntennaClient, plan: Plan, found: FoundService): Promise<void> {
  const knowsKeys = found.knowsKeys ?? (await client.processingServices.supportsKeys(plan.request));
  if (knowsKeys && plan.dialect === 'token') throw new Refusal('keys_required', 'the server has API keys');
  if (!knowsKeys && plan.dialect === 'api-key')
    throw new Refusal('keys_unsupported', 'the server has no API keys');
}
