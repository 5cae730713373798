import { AntennaClient, silentLogger, type AntennaClientOptions, type FetchLike } from 'antenna-sdk';
import { KEY } from '../support/calls.js';
import { ManualClock } from '../support/manual-clock.js';

/** One request as the server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  /** Answers it; requests wait until then if the server is slow. */
  readonly answer: (status?: number) => void;
}

const PAGE = { count: 0, next: null, previous: null, results: [] };

/** An answer that every cached operation accepts, with a number that tells one request from the next. */
function bodyOf(path: string, serial: number, owner: string | undefined): unknown {
  if (/\/users\/me\//.test(path)) return { id: serial, email: `${owner ?? ''}@h.example`, name: '' };
  if (/\/projects\/\d+\/$/.test(path)) return { id: serial, name: owner ?? '', tags: [{ deep: [serial] }] };
  if (/\/pipelines\/\d+\/$/.test(path))
    return { id: serial, name: 'p', slug: 'p', version: 1, algorithms: [] };
  if (/\/processing_services\/\d+\/$/.test(path)) return { id: serial, name: owner ?? '' };
  if (/logout/.test(path)) return undefined;
  return PAGE;
}

/** A server that counts, and answers at once or when told to. */
export function countingServer({ slow = false } = {}): {
  readonly seen: SeenRequest[];
  readonly fetch: FetchLike;
} {
  const seen: SeenRequest[] = [];
  const fetch: FetchLike = (input, init) =>
    new Promise((resolve, reject) => {
      const url = new URL(input);
      const serial = seen.length + 1;
      const authorization = init.headers['authorization'];
      const answer = (status = 200): void => {
        const body =
          status === 401 ? { detail: 'no' } : bodyOf(url.pathname, serial, authorization?.slice(-1));
        resolve(
          body === undefined || status === 204
            ? new Response(null, { status: 204 })
            : Response.json(body, { status }),
        );
      };
      init.signal.addEventListener('abort', () => {
        reject(init.signal.reason as Error);
      });
      seen.push({ method: init.method, path: url.pathname + url.search, authorization, answer });
      if (!slow) answer();
    });
  return { seen, fetch };
}

/** A clock whose wall side can be set, as operators and time servers do. */
export class SteppingClock extends ManualClock {
  /** In 2027, as a real one would say. */
  wallOffsetMs = 1_800_000_000_000;

  override wallNow(): number {
    return this.now() + this.wallOffsetMs;
  }
}

/** A client with a cache over such a server, and the clock that it goes by. */
export function cachingClient(
  options: AntennaClientOptions = {},
  server = countingServer(),
): { client: AntennaClient; clock: SteppingClock; seen: SeenRequest[]; fetch: FetchLike } {
  const clock = new SteppingClock();
  const client = new AntennaClient({
    baseUrl: 'https://antenna.example',
    ...('tokenProvider' in options || 'token' in options ? {} : { apiKey: KEY }),
    fetch: server.fetch,
    clock,
    logger: silentLogger,
    random: () => 0,
    retries: 0,
    ...options,
  });
  return { client, clock, ...server };
}
