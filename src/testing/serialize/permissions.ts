import type { Dialect } from '../options.js';
import type { ProjectRow } from '../state/rows.js';
import { isSuperuser, managesMl, roleIn } from '../wire/access.js';
import type { Caller } from '../wire/authenticate.js';

/** `user_permissions` of every kind of object: what the caller could do with it, as the real server lists it. */

const NOTHING: readonly string[] = [];

export function ofPlainObject(caller: Caller): readonly string[] {
  return isSuperuser(caller) ? ['update', 'delete'] : NOTHING;
}

export function ofJob(caller: Caller, project: ProjectRow, dialect: Dialect): readonly string[] {
  if (isSuperuser(caller)) return ['run', 'run_single_image', 'update', 'delete'];
  const role = roleIn(caller, project);
  if (role === undefined) return NOTHING;
  if (!managesMl(role)) return ['run_single_image'];
  const common = ['run', 'run_single_image', 'update'];
  return dialect === 'api-key' ? [...common, 'delete'] : common;
}

export function ofProject(caller: Caller, project: ProjectRow): readonly string[] {
  if (isSuperuser(caller)) return ['change', 'add', 'update', 'delete'];
  return roleIn(caller, project) === 'ProjectManager' ? ['update', 'delete'] : NOTHING;
}

export function ofDeployment(caller: Caller, project: ProjectRow, dialect: Dialect): readonly string[] {
  const role = roleIn(caller, project);
  const all = dialect === 'token' ? ['regroup', 'sync', 'update', 'delete'] : ['sync', 'update', 'delete'];
  if (isSuperuser(caller) || role === 'ProjectManager') return all;
  return role === 'MLDataManager' && dialect === 'token' ? ['sync'] : NOTHING;
}

export function ofPipelineConfig(caller: Caller, project: ProjectRow | undefined): readonly string[] {
  if (isSuperuser(caller)) return ['update', 'delete'];
  return project && managesMl(roleIn(caller, project)) ? ['update', 'delete'] : NOTHING;
}

/** Of a list: whether the caller may add to it. */
export function ofList(mayCreate: boolean): readonly string[] {
  return mayCreate ? ['create'] : NOTHING;
}
