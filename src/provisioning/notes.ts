import type { ProcessingService } from '../contract/processing-services.js';
import type { ProjectDetail } from '../contract/projects.js';
import type { RegistrationReport } from '../registration/report.js';
import type { Plan } from './plan.js';

/** The server said yes and did something else. */
export function deviationNotes(registration: RegistrationReport): string[] {
  return registration.ok ? [] : ['Not every pipeline can work as registered: see registration.deviations'];
}

/** The kept key is not known here, and the server takes a registration from the key alone. */
export function unregisteredNotes({ pipelines }: Plan, service: ProcessingService): string[] {
  if (pipelines.length === 0) return [];
  const known = new Set((service.pipelines ?? []).map(({ slug }) => slug));
  const missing = pipelines.filter(({ slug }) => !known.has(slug)).map(({ slug }) => slug);
  if (missing.length === 0) return ['Nothing was registered: the service has these pipelines already'];
  return [
    `Not registered yet: ${missing.join(', ')}. Only the key of the service can register: pass it as currentKey, or start a worker, ` +
      'which registers its own',
  ];
}

/** Trap T14: a key that works and gets nothing to do. */
export function draftNotes({ dialect }: Plan, project: ProjectDetail): string[] {
  return project.draft === true && dialect === 'api-key'
    ? ['The project is a draft: keys can register there, but get none of its jobs until it is published']
    : [];
}
