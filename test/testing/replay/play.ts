import { buildStage } from './setup.js';
import { compareBodies } from './compare.js';
import type { Exchange, Recording } from './recording.js';
import type { Symbols } from './symbols.js';
import type { Answer, Outgoing, Transport } from './transports.js';
import type { ContractServer } from '../../../src/testing/index.js';

const COMPARED_HEADERS = ['content-type', 'www-authenticate', 'location', 'allow', 'retry-after'];
/** Turns of the event loop a request may take to reach the server and start waiting there. */
const PATIENCE_TURNS = 200;

export interface Difference {
  /** `api-key/05-happy-path#3`. */
  readonly exchange: string;
  readonly lines: readonly string[];
}

/** Plays a recording against the contract server and returns what differs. */
export async function play(
  recording: Recording,
  connect: (server: ContractServer) => Promise<Transport>,
): Promise<Difference[]> {
  const { server, symbols } = buildStage(recording);
  const transport = await connect(server);
  const answers: unknown[] = [];
  const differences: Difference[] = [];
  const startedAt = server.clock.now();
  try {
    for (const [index, exchange] of recording.exchanges.entries()) {
      const elapsed = server.clock.now() - startedAt;
      await server.clock.advance(Math.max(0, exchange.at_ms - elapsed));
      if (exchange.settled) server.settle();
      const answer = await exchangeOne(server, transport, toOutgoing(exchange, answers, symbols), exchange);
      answers.push(parse(answer.body));
      const lines = differencesOf(recording, exchange, answer, symbols);
      const name = `${recording.dialect}/${recording.scenario}#${index}`;
      if (lines.length > 0) differences.push({ exchange: name, lines });
    }
  } finally {
    await transport.close();
  }
  return differences;
}

/** Sends, and moves the clock while the server makes the caller wait, but no further than the recording took. */
async function exchangeOne(
  server: ContractServer,
  transport: Transport,
  outgoing: Outgoing,
  exchange: Exchange,
): Promise<Answer> {
  const pending = transport.send(outgoing);
  if (exchange.took_ms !== undefined) {
    for (let turn = 0; turn < PATIENCE_TURNS && server.clock.pending === 0; turn++) await turnOfLoop();
    await server.clock.advance(exchange.took_ms);
  }
  return pending;
}

function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function toOutgoing(exchange: Exchange, answers: readonly unknown[], symbols: Symbols): Outgoing {
  const { request } = exchange;
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, symbols.fill(value)]),
  );
  const path = symbols.rewritePath(symbols.fill(request.path));
  return { method: request.method, path, headers, body: outgoingBody(exchange, answers, symbols) };
}

function outgoingBody(exchange: Exchange, answers: readonly unknown[], symbols: Symbols): string | undefined {
  const { request } = exchange;
  if (request.raw_body !== undefined) return symbols.fill(request.raw_body);
  if (request.body === undefined) return undefined;
  const body = structuredClone(request.body);
  for (const ref of exchange.refs ?? [])
    write(body, ref.path, read(answers[ref.from_exchange], ref.from_path));
  return symbols.fill(JSON.stringify(body));
}

function steps(path: string): string[] {
  return path.match(/[^.[\]$]+/g) ?? [];
}

function read(value: unknown, path: string): unknown {
  return steps(path).reduce<unknown>(
    (at, step) => (at as Record<string, unknown> | undefined)?.[step],
    value,
  );
}

function write(target: unknown, path: string, value: unknown): void {
  const last = steps(path).at(-1) ?? '';
  const parent = steps(path)
    .slice(0, -1)
    .reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], target);
  (parent as Record<string, unknown>)[last] = value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function differencesOf(recording: Recording, exchange: Exchange, answer: Answer, symbols: Symbols): string[] {
  const { response } = exchange;
  const lines: string[] = [];
  if (answer.status !== response.status)
    lines.push(`status: recorded ${response.status}, got ${answer.status}`);
  for (const name of COMPARED_HEADERS) {
    if (answer.headers[name] !== response.headers[name]) {
      lines.push(`${name}: recorded ${String(response.headers[name])}, got ${String(answer.headers[name])}`);
    }
  }
  if (response.empty && answer.body !== '')
    lines.push(`body: recorded none, got ${answer.body.slice(0, 80)}`);
  if (response.html && !answer.body.includes('<html'))
    lines.push(`body: recorded HTML, got ${answer.body.slice(0, 80)}`);
  if (response.body === undefined) return lines;
  const volatile = recording.volatile.map((path) => path.replace('$.exchanges[*].response.body', '$'));
  return lines.concat(
    compareBodies(response.body, parse(answer.body), {
      symbols,
      volatile: new Set(volatile),
      randomOrder: exchange.random_order,
    }),
  );
}
