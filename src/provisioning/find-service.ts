import type { AntennaClient } from '../client/client.js';
import { leftOutOf } from '../contract/answer.js';
import type { Page } from '../contract/common.js';
import type { ProcessingService } from '../contract/processing-services.js';
import type { ServiceReference } from './errors.js';
import type { Plan } from './plan.js';
import { Refusal } from './progress.js';

/** What the project's list of services tells. */
export interface FoundService {
  /** The one service of the name; undefined if there is none. */
  readonly service: ProcessingService | undefined;
  /** Whether the server has keys, as far as the list tells: an empty one tells nothing. */
  readonly knowsKeys: boolean | undefined;
}

/**
 * Looks for the service by its exact name, through the whole list: a service that is missed would be created a second time.
 * @throws Refusal when there are several, or none of the chosen id.
 */
export async function findService(client: AntennaClient, plan: Plan): Promise<FoundService> {
  const named = new Map<number, ProcessingService>();
  let knowsKeys: boolean | undefined;
  // In a fixed order: without one the database may show a service on two pages and another on none.
  const list = client.processingServices.list(plan.project, { limit: 100, ordering: 'id' }, plan.request);
  for await (const page of list.pages()) {
    assertWhole(page, plan.project);
    for (const service of page.results) {
      knowsKeys = hasKeyField(service);
      if (service.name === plan.serviceName) named.set(service.id, service);
    }
  }
  return { service: choose([...named.values()], plan), knowsKeys };
}

/** An entry that cannot be read may be the one that is looked for. */
function assertWhole(page: Page<ProcessingService>, project: number): void {
  const [unread] = leftOutOf(page).filter(({ path }) => /^results\.\d+$/.test(path));
  if (unread === undefined) return;
  const which = unread.id === undefined ? 'A service' : `Service ${unread.id}`;
  throw new Refusal(
    'unexpected',
    `${which} of project ${project} cannot be read (${unread.problem}), and may be the one that is looked for: a second one would be made`,
  );
}

/** Only servers with keys show the field, null included (contract §4.7). */
function hasKeyField(service: ProcessingService): boolean {
  return service.api_key_prefix !== undefined;
}

function choose(named: readonly ProcessingService[], plan: Plan): ProcessingService | undefined {
  const { serviceName, serviceId, project } = plan;
  const references = named.map(referenceOf);
  const listed = references
    .map(({ id, last_seen }) => `${id} (last seen ${last_seen ?? 'never'})`)
    .join(', ');
  if (serviceId !== undefined) {
    const chosen = named.find(({ id }) => id === serviceId);
    if (chosen) return chosen;
    const others = named.length === 0 ? 'none at all' : `those with the ids ${listed}`;
    throw new Refusal(
      'no_service',
      `project ${project} has no service ${serviceId} of the name ${JSON.stringify(serviceName)}, but ${others}`,
      references,
    );
  }
  if (named.length > 1) {
    throw new Refusal(
      'duplicate_service',
      `project ${project} has ${named.length} services of the name ${JSON.stringify(serviceName)}: ${listed}`,
      references,
    );
  }
  return named[0];
}

function referenceOf({ id, name, last_seen }: ProcessingService): ServiceReference {
  // It goes into messages: the server's word for a time, and nothing else.
  const isTime = typeof last_seen === 'string' && /^[\dTZ:.+-]{10,40}$/.test(last_seen);
  return Object.freeze({ id, name, last_seen: isTime ? last_seen : null });
}
