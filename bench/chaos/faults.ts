import type { HttpFaults, Intervention, Reply, RequestRecord } from 'antenna-sdk/testing';
import type { FaultMix } from './settings.js';

/** Ways in which a request goes wrong. `before` and `after`: whether the server has acted on it. */
export const FAULT_KINDS = [
  'answered 500',
  'answered 502',
  'answered 503',
  'reset before',
  'reset after',
  'truncated',
  'stalled before',
  'stalled after',
  'stalled in the body',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** How each share of the mix is divided. */
const PARTS: Readonly<Record<FaultKind, readonly [keyof FaultMix, number]>> = {
  'answered 500': ['serverErrors', 0.4],
  'answered 502': ['serverErrors', 0.3],
  'answered 503': ['serverErrors', 0.3],
  'reset before': ['resets', 0.4],
  'reset after': ['resets', 0.4],
  truncated: ['resets', 0.2],
  'stalled before': ['stalls', 0.4],
  'stalled after': ['stalls', 0.4],
  'stalled in the body': ['stalls', 0.2],
};

/** @param draw - in [0, 1). @returns undefined for a request that goes well. */
export function pickFault(draw: number, mix: FaultMix): FaultKind | undefined {
  let upTo = 0;
  for (const kind of FAULT_KINDS) {
    const [share, part] = PARTS[kind];
    upTo += mix[share] * part;
    if (draw < upTo) return kind;
  }
  return undefined;
}

/** Requests, and what was done to them. */
export interface FaultCounts {
  requests: number;
  readonly byKind: Record<FaultKind, number>;
}

/** Called for requests on which the server acted although its answer is lost. */
export type OnLostAnswer = (request: RequestRecord, reply: Reply) => void;

/** Lets requests go wrong at random until the faults are cleared. */
export function installFaults(
  faults: HttpFaults,
  options: { readonly mix: FaultMix; readonly random: () => number; readonly onLostAnswer?: OnLostAnswer },
): FaultCounts {
  const { mix, random, onLostAnswer } = options;
  const byKind = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  const counts: FaultCounts = { requests: 0, byKind };
  const intervene: Intervention = async (request, next) => {
    counts.requests += 1;
    const kind = pickFault(random(), mix);
    if (kind === undefined) return next();
    byKind[kind] += 1;
    return spoil(kind, async () => {
      const reply = await next();
      onLostAnswer?.(request, reply);
      return reply;
    });
  };
  faults.intervene(intervene);
  return counts;
}

async function spoil(kind: FaultKind, act: () => Promise<Reply>): Promise<Reply> {
  switch (kind) {
    case 'answered 500':
    case 'answered 502':
    case 'answered 503':
      return errorPage(Number(kind.slice(-3)));
    case 'reset before':
      return { kind: 'reset' };
    case 'stalled before':
      return { kind: 'silence' };
    case 'reset after':
      await act();
      return { kind: 'reset' };
    case 'stalled after':
      await act();
      return { kind: 'silence' };
    case 'truncated':
      return cut(await act(), 'reset');
    case 'stalled in the body':
      return cut(await act(), 'stall');
  }
}

function errorPage(status: number): Reply {
  const headers = { 'content-type': 'text/html; charset=utf-8' };
  return { kind: 'answer', response: { status, headers, body: `<html><body>${status}</body></html>` } };
}

function cut(reply: Reply, then: 'reset' | 'stall'): Reply {
  if (reply.kind !== 'answer') return reply;
  const sentBytes = Math.floor(Buffer.byteLength(reply.response.body) / 2);
  return { kind: 'partial', response: reply.response, sentBytes, then };
}
