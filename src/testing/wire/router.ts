import type { Antenna } from '../antenna.js';
import type { RequestRecord, ResponseRecord } from '../messages.js';
import { authenticate } from './authenticate.js';
import { Call } from './call.js';
import type { Method, Route } from './call.js';
import { negotiate, Refusal } from './refusal.js';
import { Query } from './query.js';
import { browsable, empty, json, notFoundPage, redirect } from './respond.js';

const PREFIX = '/api/v2/';

/**
 * Answers a request in the order of checks of the real server (contract §13): slash redirect, unknown route, `Accept`, bad
 * credentials, permission of the whole view, method, and only then the route itself.
 */
export async function dispatch(
  antenna: Antenna,
  routes: readonly Route[],
  request: RequestRecord,
): Promise<ResponseRecord> {
  if (request.path === '/') return redirect(PREFIX, 302);
  const found = findRoute(routes, request);
  if (!found) return notFoundPage();
  if ('response' in found) return found.response;
  const { route, params } = found;
  const response = await runRoute(antenna, route, params, request);
  // Django's own pages (404, 500) never pass through the view, so they carry no Allow header.
  const isPage = response.headers['content-type']?.startsWith('text/html') ?? false;
  return isPage && response.status !== 200 ? response : withHeader(response, 'allow', route.allow);
}

function findRoute(
  routes: readonly Route[],
  request: RequestRecord,
): { route: Route; params: string[] } | { response: ResponseRecord } | undefined {
  if (!request.path.startsWith(PREFIX)) return undefined;
  const path = request.path.slice(PREFIX.length);
  for (const route of routes) {
    const match = route.pattern.exec(path);
    if (match) return { route, params: match.slice(1) };
    if (path.endsWith('/')) continue;
    const slashed = route.pattern.exec(`${path}/`);
    if (!slashed) continue;
    if (route.slashOptional) return { route, params: slashed.slice(1) };
    const query = request.query === '' ? '' : `?${request.query}`;
    return { response: redirect(`${request.path}/${query}`) };
  }
  return undefined;
}

async function runRoute(
  antenna: Antenna,
  route: Route,
  params: readonly string[],
  request: RequestRecord,
): Promise<ResponseRecord> {
  try {
    const representation = negotiate(request.headers.accept);
    const caller = authenticate(request.headers.authorization, antenna.store, antenna.settings);
    const call = new Call(antenna, request, new Query(request.query), caller, params);
    route.guard?.(call);
    const response = await runMethod(route, call);
    return representation === 'html' ? browsable(response) : response;
  } catch (error) {
    if (error instanceof Refusal) return error.response;
    throw error;
  }
}

async function runMethod(route: Route, call: Call): Promise<ResponseRecord> {
  const { method } = call.request;
  if (method === 'OPTIONS') return json(200, { name: 'Antenna', renders: ['application/json', 'text/html'] });
  const handler = route.methods[(method === 'HEAD' ? 'GET' : method) as Method];
  if (!handler) throw new Refusal(json(405, { detail: `Method "${method}" not allowed.` }));
  const response = await handler(call);
  return method === 'HEAD' ? { ...response, body: empty(200).body } : response;
}

function withHeader(response: ResponseRecord, name: string, value: string): ResponseRecord {
  return { ...response, headers: { ...response.headers, [name]: value } };
}
