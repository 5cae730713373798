import type { Scheme } from '../auth/credential.js';
import { readAnswer, type LeftOut } from '../contract/answer.js';
import type { RequestContext } from '../errors/base.js';
import { AntennaContractError, type ContractViolation } from '../errors/contract.js';
import { apiError } from '../errors/api.js';
import { readErrorBody } from './error-body.js';
import type { HintFor } from './hints.js';
import type { Operation } from './operation.js';
import { redact, redactJson } from './redact.js';
import { parseRetryAfter } from './retry-after.js';
import type { TransportResponse } from './transport.js';

/** What is needed to read an answer, beside the answer. */
export interface InterpretContext extends RequestContext {
  readonly scheme: Scheme | undefined;
  /** Taken out of whatever the server echoes. */
  readonly secrets: readonly string[];
  readonly wallNowMs: number;
  readonly origin: string;
  /** Looked at for a status of 400 and above. */
  readonly hintFor: HintFor | undefined;
}

/**
 * Turns an answer into the operation's value.
 * @throws AntennaApiError for a status of 400 and above.
 * @throws AntennaContractError for anything that is not what Antenna answers, redirects included.
 */
export function interpret<Result>(
  operation: Operation<Result>,
  response: TransportResponse,
  context: InterpretContext,
): Result {
  const { status } = response;
  if (status >= 400) throw errorFrom(operation, response, context);
  if (status >= 300) throw redirectError(response, context);
  if (status < 200) throw violation('unexpected_status', context, status, 'this is no final answer');
  if (operation.response === null) {
    if (response.body.length === 0) return undefined as Result;
    throw violation('unexpected_status', context, status, 'the answer should have no body and has one');
  }
  return check(operation, parseJson(response, context), context, status);
}

function parseJson(response: TransportResponse, context: InterpretContext): unknown {
  const { status, body } = response;
  if (body.length === 0)
    throw violation('not_json', context, status, 'the answer is empty where JSON belongs');
  if (!isJson(response)) {
    const named = response.headers['content-type'] ?? 'no content type';
    const type = redact(named, context.secrets).slice(0, 80);
    const reason = `the answer is ${type}, not JSON: a proxy, a login page or another service answers at baseUrl`;
    throw violation('not_json', context, status, reason);
  }
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    // The parser's message quotes the text, which may hold a key.
    throw violation('bad_json', context, status, `the JSON is damaged or cut off after ${body.length} bytes`);
  }
}

function check<Result>(
  { response, list }: Operation<Result>,
  body: unknown,
  context: InterpretContext,
  status: number,
): Result {
  if (response === null) return undefined as Result;
  const reading = readAnswer(response, body);
  const offSchema = (
    path: string,
    problem: string,
    leftOut: readonly LeftOut[] = [],
  ): AntennaContractError => {
    const reason =
      `the answer is not what Antenna sends: ${path === '' ? 'body' : path}: ${problem}. ` +
      'Check baseUrl; if the server is newer than this SDK, update it';
    return violation('off_schema', context, status, reason, path, leftOut);
  };
  if (!reading.ok) throw offSchema(reading.issue.path, reading.issue.message);
  const { value, leftOut, issues } = reading;
  const first = list && issues.find(({ path }) => path.startsWith(`${list.name}.`));
  if (first && !hasUsable(value, list)) throw offSchema(first.path, first.message, leftOut);
  return value;
}

function hasUsable(value: unknown, { name, paged }: NonNullable<Operation<unknown>['list']>): boolean {
  const { next, previous, [name]: items } = value as Readonly<Record<string, unknown>>;
  const whole = !paged || ((next ?? null) === null && (previous ?? null) === null);
  return !whole || !Array.isArray(items) || items.length > 0;
}

function isJson(response: TransportResponse): boolean {
  return /^application\/(?:[\w.+-]+\+)?json\b/i.test(response.headers['content-type'] ?? '');
}

function errorFrom(
  operation: Operation<unknown>,
  response: TransportResponse,
  context: InterpretContext,
): Error {
  const { status } = response;
  let body: unknown;
  if (isJson(response)) {
    try {
      body = redactJson(JSON.parse(response.body.toString('utf8')), context.secrets);
    } catch {
      body = undefined;
    }
  }
  const { detail, fieldErrors } = readErrorBody(status, body);
  const hint = context.hintFor?.({
    operation: operation.id,
    status,
    scheme: context.scheme,
    detail,
    json: body !== undefined,
  });
  return apiError({
    status,
    detail,
    fieldErrors,
    hint,
    body,
    ...requestOf(context),
    retryAfterMs: parseRetryAfter(response.headers['retry-after'], context.wallNowMs),
  });
}

function redirectError(response: TransportResponse, context: InterpretContext): AntennaContractError {
  let target = 'elsewhere';
  try {
    const location = response.headers['location'];
    if (location !== undefined) {
      const url = new URL(location, context.origin);
      target = `${url.origin}${url.pathname}`;
    }
  } catch {
    // An unusable Location; the status alone says enough.
  }
  const reason =
    `the server redirects to ${target}, and is not followed: a POST would become a GET, and the credential leave its origin. ` +
    'Set baseUrl to the final address (https, for example)';
  return violation('redirect', context, response.status, redact(reason, context.secrets));
}

function violation(
  kind: ContractViolation,
  context: InterpretContext,
  status: number,
  reason: string,
  bodyPath = '',
  leftOut: readonly LeftOut[] = [],
): AntennaContractError {
  return new AntennaContractError({
    violation: kind,
    status,
    reason,
    bodyPath,
    leftOut,
    ...requestOf(context),
  });
}

/** What errors say of the request, and nothing else of what is known here. */
function requestOf({ method, path, requestId, attempts }: InterpretContext): RequestContext {
  return { method, path, requestId, attempts };
}
