import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import * as contract from '../../src/contract/index.js';
import { formatServerTimestamp } from '../../src/contract/timestamps.js';

const FOLDER = fileURLToPath(new URL('../../../shared/contract/recordings/', import.meta.url));
const present = existsSync(FOLDER);
const DIALECTS = ['token', 'api-key'] as const;
type Dialect = (typeof DIALECTS)[number];

interface Exchange {
  request: { method: string; path: string; body?: unknown };
  response: { status: number; body?: unknown };
  note?: string;
}
interface Recorded extends Exchange {
  dialect: Dialect;
  scenario: string;
  index: number;
  /** Path without query. */
  route: string;
}

function load(): Recorded[] {
  return DIALECTS.flatMap((dialect) =>
    readdirSync(`${FOLDER}${dialect}`).flatMap((file) => {
      const recording = JSON.parse(readFileSync(`${FOLDER}${dialect}/${file}`, 'utf8')) as {
        exchanges: Exchange[];
      };
      return recording.exchanges.map((exchange, index) => {
        const [route = ''] = exchange.request.path.split('?');
        return { ...exchange, dialect, scenario: file.replace('.json', ''), index, route };
      });
    }),
  );
}

const exchanges = present ? load() : [];
const succeeded = exchanges.filter(({ response }) => response.status >= 200 && response.status < 300);
const label = ({ dialect, scenario, index }: Pick<Recorded, 'dialect' | 'scenario' | 'index'>): string =>
  `${dialect}/${scenario}#${index}`;

/** Which schema an answer must satisfy; `null` where the client has no such call. */
const ANSWERS: [pattern: RegExp, methodAndStatus: string, schema: z.ZodType | null][] = [
  [/^\/auth\/token\/login\/?$/, 'POST 200', contract.loginResponseSchema],
  [/^\/users\/me\/$/, 'GET 200', contract.userSchema],
  [/^\/projects\/$/, 'GET 200', contract.projectPageSchema],
  [/^\/projects\/\d+\/$/, 'GET 200', contract.projectDetailSchema],
  [/^\/projects\/\d+\/pipelines\/$/, 'GET 200', contract.pipelinePageSchema],
  [/^\/projects\/\d+\/pipelines\/$/, 'POST 201', contract.registrationResponseSchema],
  [/^\/ml\/pipelines\/$/, 'GET 200', contract.pipelinePageSchema],
  [/^\/ml\/processing_services\/$/, 'GET 200', contract.processingServicePageSchema],
  [/^\/ml\/processing_services\/$/, 'POST 201', contract.createServiceResponseSchema],
  [/^\/ml\/processing_services\/\d+\/$/, 'GET 200', contract.processingServiceSchema],
  [/^\/ml\/processing_services\/\d+\/status\/$/, 'GET 200', contract.serviceStatusSchema],
  [/^\/ml\/processing_services\/\d+\/generate_key\/$/, 'POST 200', contract.generateKeyResponseSchema],
  [/^\/ml\/processing_services\/\d+\/$/, 'PATCH 200', null],
  [/^\/ml\/processing_services\/\d+\/register_pipelines\/$/, 'POST 200', null],
  [/^\/jobs\/$/, 'POST 201', contract.jobSchema],
  [/^\/jobs\/\d+\/$/, 'GET 200', contract.jobSchema],
  [/^\/jobs\/\d+\/(?:run|cancel|retry)\/$/, 'POST 200', contract.jobSchema],
  [/^\/jobs\/\d+\/tasks\/$/, 'POST 200', contract.tasksResponseSchema],
  [/^\/jobs\/\d+\/result\/$/, 'POST 200', contract.resultsResponseSchema],
];

function answerSchema({ route, request, response }: Recorded): z.ZodType | null | undefined {
  if (route === '/jobs/' && request.method === 'GET') {
    const idsOnly = /[?&]ids_only(?:=(?!0|false|False)[^&]*)?(?:&|$)/.test(request.path);
    return idsOnly ? contract.jobSummaryPageSchema : contract.jobPageSchema;
  }
  const key = `${request.method} ${response.status}`;
  return ANSWERS.find(([pattern, methodAndStatus]) => key === methodAndStatus && pattern.test(route))?.[2];
}

function requestSchema({ dialect, route, request }: Recorded): z.ZodType | undefined {
  if (request.method !== 'POST' || request.body === undefined) return undefined;
  if (/^\/jobs\/\d+\/tasks\/$/.test(route)) return contract.reserveRequestSchema;
  if (/^\/jobs\/\d+\/result\/$/.test(route)) return contract.resultsRequestSchema;
  if (/^\/projects\/\d+\/pipelines\/$/.test(route)) {
    return dialect === 'token' ? contract.tokenRegistrationSchema : contract.apiKeyRegistrationSchema;
  }
  if (route === '/jobs/') return contract.createJobRequestSchema;
  if (route === '/ml/processing_services/') return contract.createServiceRequestSchema;
  return /^\/auth\/token\/login\/?$/.test(route) ? contract.loginRequestSchema : undefined;
}

/** What the server answered with 2xx and we refuse all the same: in which exchanges, what the message names, and why. */
const STRICTER: [exchanges: string[], names: string, why: string][] = [
  [['token/03-registration#9'], '"client_info"', 'the token dialect ignores it without a word'],
  [
    ['token/03-registration#26', 'api-key/03-registration#29'],
    'pipelines[0].version',
    'text for a number: one type on the wire, so that a comparison with the read-back holds (T44)',
  ],
  [['api-key/03-registration#8'], 'client_info.hostname', 'a number for a text is a mistake of the caller'],
  [
    ['api-key/03-registration#37'],
    'pipelines',
    'nothing registered under a 201 (T44); the heartbeat says []',
  ],
  [
    ['token/06-mixed-errors#18', 'api-key/06-mixed-errors#18'],
    'image_id',
    'the image is lost in silence (T27)',
  ],
  [
    ['token/06-mixed-errors#20', 'api-key/06-mixed-errors#20'],
    'source_images',
    'the image is lost in silence (T27)',
  ],
  [['token/08-validation#4', 'api-key/08-validation#4'], '"error"', 'a success counted as a failure (T36)'],
  [['token/08-validation#6', 'api-key/08-validation#6'], '"error"', 'the error is dropped (T36)'],
  [
    ['token/08-validation#36', 'api-key/08-validation#36'],
    'total_time',
    'text for numbers and the reverse (T41)',
  ],
  [['token/08-validation#38', 'api-key/08-validation#38'], 'image_id', 'ids of results are text (T41)'],
  [['token/08-validation#42', 'api-key/08-validation#42'], 'batch_size', 'text for a number'],
  [['token/09-provisioning#14', 'api-key/09-provisioning#14'], '"project_id"', 'we send it in the query'],
  [['api-key/09-provisioning#47'], 'at most 46', 'no key can ever be generated for it (T49)'],
  [
    ['token/12-background-save-failures#8', 'api-key/12-background-save-failures#8'],
    'scores',
    'saving fails after the 200 (T39)',
  ],
];

const title = present
  ? 'exchanges recorded on real servers'
  : 'exchanges recorded on real servers (skipped: no recordings beside the repository)';

describe.skipIf(!present)(title, () => {
  it('are there for both dialects and all scenarios', () => {
    const scenarios = DIALECTS.map(
      (d) => new Set(exchanges.filter((e) => e.dialect === d).map((e) => e.scenario)),
    );
    expect(scenarios.map((set) => set.size)).toEqual([13, 13]);
    expect(succeeded.length).toBeGreaterThan(500);
  });

  describe.each(DIALECTS)('from a server of dialect %s', (dialect) => {
    const answered = succeeded.filter((e) => e.dialect === dialect && e.response.body !== undefined);

    it('have answers of which every one with 2xx and a body passes our schemas, nothing cut', () => {
      for (const exchange of answered) {
        const schema = answerSchema(exchange);
        expect(schema, `a schema for ${exchange.request.method} ${exchange.route}`).not.toBeUndefined();
        if (!schema) continue;
        const parsed = schema.safeParse(exchange.response.body);
        expect(parsed.error && `${label(exchange)}: ${z.prettifyError(parsed.error)}`).toBeUndefined();
        expect(parsed.data, `${label(exchange)} keeps every field`).toMatchObject(
          exchange.response.body as object,
        );
      }
    });

    it('have timestamps of which every one can be read', () => {
      const stamps = answered.flatMap(({ response }) => timestampsIn(response.body));
      expect(stamps.length).toBeGreaterThan(500);
      for (const text of stamps) {
        const instant = contract.parseServerTimestamp(text);
        expect(formatServerTimestamp(instant).slice(0, 19)).toBe(text.slice(0, 19));
      }
    });
  });

  it('have requests of which we refuse exactly those with a reason', () => {
    const refused = new Map<string, string>();
    let accepted = 0;
    for (const exchange of succeeded) {
      const schema = requestSchema(exchange);
      if (!schema) continue;
      const parsed = schema.safeParse(exchange.request.body);
      if (parsed.success) accepted += 1;
      else refused.set(label(exchange), z.prettifyError(parsed.error));
    }
    expect([...refused.keys()].sort()).toEqual(STRICTER.flatMap(([labels]) => labels).sort());
    for (const [labels, names, why] of STRICTER) {
      for (const one of labels) expect(refused.get(one), `${one}: ${why}`).toContain(names);
    }
    expect(accepted).toBeGreaterThan(150);
  });

  it('use every rule of this test', () => {
    const unused = ANSWERS.filter(
      ([pattern, methodAndStatus]) =>
        !succeeded.some(
          ({ route, request, response }) =>
            methodAndStatus === `${request.method} ${response.status}` && pattern.test(route),
        ),
    );
    expect(unused.map(([pattern]) => pattern.source)).toEqual([]);
  });
});

/** Values of fields that hold a moment, at any depth. */
function timestampsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    typeof inner === 'string' && /(?:_at|^last_seen|^timestamp)$/.test(key) ? [inner] : timestampsIn(inner),
  );
}
