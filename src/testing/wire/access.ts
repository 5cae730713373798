import type { Dialect } from '../options.js';
import type { JobRow, ProjectRow, Role } from '../state/rows.js';
import type { Caller } from './authenticate.js';
import { credentialsMissing, forbidden } from './refusal.js';
import type { Refusal } from './refusal.js';

/** Who may do what (contract §3). Pure decisions; routes ask them and act. */

export function isSuperuser(caller: Caller): boolean {
  return caller.kind === 'user' && caller.user.superuser;
}

/** Staff and superusers provision services and keys, whatever their memberships. */
export function mayProvision(caller: Caller): boolean {
  return caller.kind === 'user' && (caller.user.superuser || caller.user.staff);
}

/** The caller's role in a project; an owner without an explicit role counts as manager. */
export function roleIn(caller: Caller, project: ProjectRow): Role | undefined {
  if (caller.kind !== 'user') return undefined;
  const role = project.members.get(caller.user.id);
  return role ?? (project.ownerId === caller.user.id ? 'ProjectManager' : undefined);
}

/** Draft projects are invisible to all but members, owner and superusers; a key sees public ones only (T14). */
export function canSee(caller: Caller, project: ProjectRow): boolean {
  return !project.draft || isSuperuser(caller) || roleIn(caller, project) !== undefined;
}

export function managesMl(role: Role | undefined): boolean {
  return role === 'MLDataManager' || role === 'ProjectManager';
}

export function mayCreateJobs(caller: Caller, project: ProjectRow): boolean {
  return isSuperuser(caller) || roleIn(caller, project) !== undefined;
}

export function mayRunJobs(caller: Caller, project: ProjectRow): boolean {
  return isSuperuser(caller) || managesMl(roleIn(caller, project));
}

export function mayDeleteJobs(caller: Caller, project: ProjectRow, dialect: Dialect): boolean {
  return isSuperuser(caller) || (dialect === 'api-key' && managesMl(roleIn(caller, project)));
}

/**
 * Taking tasks and posting results: superusers, and a key whose service belongs to the project. Members only for a job on a
 * single capture; owners and managers are refused (T11).
 */
export function mayWork(caller: Caller, project: ProjectRow, job: JobRow): boolean {
  if (caller.kind === 'service') return caller.service.projectIds.has(project.id);
  if (isSuperuser(caller)) return true;
  return job.singleCaptureId !== null && roleIn(caller, project) !== undefined;
}

/** 401 for a caller who has shown nothing, 403 for one who has (contract §2.5). */
export function denied(caller: Caller): Refusal {
  return caller.kind === 'anonymous' ? credentialsMissing() : forbidden();
}

/** @throws Refusal 401 or 403 unless allowed. */
export function demand(allowed: boolean, caller: Caller): void {
  if (!allowed) throw denied(caller);
}
