import {
  isErrorResult,
  resultsResponseSchema,
  taskResultSchema,
  type Detection,
  type ResultsResponse,
  type TaskResult,
} from '../contract/results.js';
import { AntennaConfigError, type ConfigIssue } from '../errors/config.js';
import { isArray, type Id } from '../errors/arguments.js';
import type { Operation, RequestOptions } from '../http/operation.js';
import { plainNumbers } from './float32.js';
import { issuesOf } from '../contract/issues.js';
import type { ResourceCore } from './core.js';
import { jsonBytes } from './json-bytes.js';
import { withClientInfo } from './tasks.js';

const SUBMIT: Operation<ResultsResponse> = {
  id: 'results.submit',
  method: 'POST',
  path: '/jobs/{id}/result/',
  // The server counts a result once, so the same bytes may be sent again (contract §6.5).
  replay: 'always',
  response: resultsResponseSchema,
  // A post of many megabytes on a slow uplink is not a hang.
  attemptTimeoutMs: 60_000,
};

/** A result as bytes: checked and encoded once, sent as often as it takes, its size known before it is sent. */
export interface EncodedResult {
  readonly bytes: Buffer;
  readonly replySubject: string;
}

/** Delivering results. */
export class ResultsResource {
  readonly #core: ResourceCore;

  constructor(core: ResourceCore) {
    this.#core = core;
  }

  /**
   * Delivers results of one job. All or nothing: the server refuses the whole post for one malformed item, which is why each is
   * checked here first. A success means *queued*; saving happens later and is not reported (trap T32).
   *
   * An empty array is allowed and tells the server that the worker is alive.
   * @throws AntennaConfigError naming each wrong field; nothing was sent.
   * @throws PayloadTooLargeError when the post is over a proxy's limit: send fewer results at once.
   */
  async submit(
    jobId: Id,
    results: readonly (TaskResult | EncodedResult)[],
    options?: RequestOptions,
  ): Promise<ResultsResponse> {
    const body = assembleResults(encodeAll(results), withClientInfo(this.#core));
    return this.#core.http.request(SUBMIT, { params: { id: jobId }, body }, options);
  }
}

/**
 * Checks a result and turns it into bytes.
 * @param path - how errors name the result.
 * @throws AntennaConfigError naming each wrong field.
 */
export function encodeResult(result: TaskResult, path = 'result'): EncodedResult {
  const parsed = taskResultSchema.safeParse(result);
  if (!parsed.success) {
    const issues = issuesOf(parsed.error).map((issue) => ({
      ...issue,
      path: issue.path === '' ? path : `${path}.${issue.path}`,
    }));
    throw new AntennaConfigError('Invalid result', issues);
  }
  // The caller's object, not the parsed copy: key order and detection order stay bit-identical (trap T38).
  return { bytes: jsonBytes(withPlainNumbers(result)), replySubject: result.reply_subject };
}

/** A typed array is an object to JSON, so its values go out as an array; all else stays the caller's own. */
function withPlainNumbers(given: TaskResult): TaskResult {
  const { result } = given;
  if (isErrorResult(result) || !result.detections.some(hasTypedArrays)) return given;
  const detections = result.detections.map((detection) => {
    const { classifications } = detection;
    const lists = plainLists(detection);
    return classifications ? { ...lists, classifications: classifications.map(plainLists) } : lists;
  });
  return { ...given, result: { ...result, detections } };
}

const LISTS = ['scores', 'logits', 'features'] as const;

type WithLists = Partial<Record<(typeof LISTS)[number], ArrayLike<number> | null | undefined>>;

function hasTypedArrays(detection: Detection): boolean {
  const parts: WithLists[] = [detection, ...(detection.classifications ?? [])];
  return parts.some((part) => LISTS.some((name) => isTyped(part[name])));
}

function isTyped(list: ArrayLike<number> | null | undefined): list is ArrayLike<number> {
  return list !== undefined && list !== null && !Array.isArray(list);
}

function plainLists<Part extends WithLists>(part: Part): Part {
  const plain: WithLists = {};
  for (const name of LISTS) {
    const list = part[name];
    if (isTyped(list)) plain[name] = plainNumbers(list);
  }
  return { ...part, ...plain };
}

/** Encodes what is not encoded yet; the error names the wrong fields of all results, not of the first bad one alone. */
function encodeAll(results: readonly (TaskResult | EncodedResult)[]): EncodedResult[] {
  const issues: ConfigIssue[] = [];
  const encoded: EncodedResult[] = [];
  const message = isArray(results);
  if (message !== undefined) throw new AntennaConfigError('Invalid result', [{ path: 'results', message }]);
  // An iterator does not skip the holes of a sparse array, as `forEach` does.
  for (const [index, result] of results.entries()) {
    try {
      encoded.push(isEncoded(result) ? result : encodeResult(result, `results.${index}`));
    } catch (error) {
      if (!(error instanceof AntennaConfigError)) throw error;
      issues.push(...error.issues);
    }
  }
  if (issues.length > 0) throw new AntennaConfigError('Invalid result', issues);
  return encoded;
}

function isEncoded(result: TaskResult | EncodedResult): result is EncodedResult {
  const { bytes, replySubject } = Object(result) as Partial<EncodedResult>;
  return bytes instanceof Uint8Array && typeof replySubject === 'string';
}

/**
 * Joins encoded results to the body of one post. Bytes are joined, never text: bodies of more than 300 MiB have been seen, and a
 * JavaScript string ends at about 512 million characters.
 */
function assembleResults(results: readonly EncodedResult[], envelope: object): Buffer {
  const tail = JSON.stringify(envelope).slice(1);
  const parts: Buffer[] = [Buffer.from('{"results":[')];
  results.forEach((result, index) => {
    if (index > 0) parts.push(COMMA);
    parts.push(result.bytes);
  });
  parts.push(Buffer.from(tail === '}' ? ']}' : `],${tail}`));
  return Buffer.concat(parts);
}

const COMMA = Buffer.from(',');
