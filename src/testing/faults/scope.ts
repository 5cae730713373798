import type { RequestRecord } from '../messages.js';

/** Routes by name, for those who do not want to write paths. */
export const ROUTES = {
  login: ['POST', /^\/api\/v2\/auth\/token\/login\/?$/],
  logout: ['POST', /^\/api\/v2\/auth\/token\/logout\/?$/],
  me: ['GET', /^\/api\/v2\/users\/me\/$/],
  'projects.list': ['GET', /^\/api\/v2\/projects\/$/],
  'projects.get': ['GET', /^\/api\/v2\/projects\/\d+\/$/],
  'projects.pipelines': ['GET', /^\/api\/v2\/projects\/\d+\/pipelines\/$/],
  register: ['POST', /^\/api\/v2\/projects\/\d+\/pipelines\/$/],
  'services.list': ['GET', /^\/api\/v2\/ml\/processing_services\/$/],
  'services.create': ['POST', /^\/api\/v2\/ml\/processing_services\/$/],
  'services.get': ['GET', /^\/api\/v2\/ml\/processing_services\/\d+\/$/],
  'services.status': ['GET', /^\/api\/v2\/ml\/processing_services\/\d+\/status\/$/],
  'services.generateKey': ['POST', /^\/api\/v2\/ml\/processing_services\/\d+\/generate_key\/$/],
  'pipelines.list': ['GET', /^\/api\/v2\/ml\/pipelines\/$/],
  'pipelines.get': ['GET', /^\/api\/v2\/ml\/pipelines\/\d+\/$/],
  'jobs.list': ['GET', /^\/api\/v2\/jobs\/$/],
  'jobs.get': ['GET', /^\/api\/v2\/jobs\/\d+\/$/],
  'jobs.create': ['POST', /^\/api\/v2\/jobs\/$/],
  'jobs.run': ['POST', /^\/api\/v2\/jobs\/\d+\/run\/$/],
  'jobs.cancel': ['POST', /^\/api\/v2\/jobs\/\d+\/cancel\/$/],
  'jobs.retry': ['POST', /^\/api\/v2\/jobs\/\d+\/retry\/$/],
  tasks: ['POST', /^\/api\/v2\/jobs\/\d+\/tasks\/$/],
  result: ['POST', /^\/api\/v2\/jobs\/\d+\/result\/$/],
} as const satisfies Readonly<Record<string, readonly [string, RegExp]>>;

export type RouteName = keyof typeof ROUTES;

/** Which requests something applies to, and how often. Conditions add up; none means every request. */
export interface Scope {
  /** A route by name. */
  readonly route?: RouteName;
  /** A whole path (for the server with `/api/v2`), or a pattern for it. */
  readonly path?: string | RegExp;
  readonly method?: string;
  /** Any other condition. */
  readonly where?: (request: RequestRecord) => boolean;
  /** Share of the matching requests that are hit, 0 to 1, drawn from the seed. Default 1. */
  readonly probability?: number;
  /** Let this many matching requests pass first. Default 0. */
  readonly after?: number;
  /** Hit this many requests, then stop. Default: no end. */
  readonly times?: number;
}

/** True when a request fulfils the conditions of a scope; chance and counts are not looked at. */
export function matches(scope: Scope, request: RequestRecord): boolean {
  if (scope.route !== undefined) {
    const [method, pattern] = ROUTES[scope.route];
    if (request.method !== method || !pattern.test(request.path)) return false;
  }
  if (scope.method !== undefined && request.method !== scope.method) return false;
  if (typeof scope.path === 'string' && request.path !== scope.path) return false;
  if (scope.path instanceof RegExp && !scope.path.test(request.path)) return false;
  return scope.where?.(request) ?? true;
}
