import type { Clock } from '../time/clock.js';
import type { Transport } from './transport.js';

/** Between two bounds lies how far the server's clock is ahead of ours, in milliseconds; negative when ours is ahead. */
export interface OffsetRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** From when on a clock is worth a word. Smaller differences are common and harm nothing. */
export const CLOCK_TOLERANCE_MS = 60_000;

/** A `Date` header names whole seconds. */
const RESOLUTION_MS = 1_000;

/** What is on the way of an answer: the header, and our wall clock before and after. */
export interface DatedAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
}

/** What one answer tells; undefined when it tells nothing. */
export function offsetOf({ headers, sentAtMs, receivedAtMs }: DatedAnswer): OffsetRange | undefined {
  const { date, age } = headers;
  // Kept by a cache on the way: it has the time of long ago.
  if (date === undefined || age !== undefined || receivedAtMs < sentAtMs) return undefined;
  const serverMs = Date.parse(date);
  if (Number.isNaN(serverMs)) return undefined;
  return { fromMs: serverMs - receivedAtMs, toMs: serverMs + RESOLUTION_MS - sentAtMs };
}

/** Several answers know more than one, as long as they agree. When they do not, a clock was set, and the newer one is right. */
export function refine(known: OffsetRange | undefined, heard: OffsetRange): OffsetRange {
  if (known === undefined || known.toMs < heard.fromMs || known.fromMs > heard.toMs) return heard;
  return { fromMs: Math.max(known.fromMs, heard.fromMs), toMs: Math.min(known.toMs, heard.toMs) };
}

/** One number for it: none that need not be there, else the middle. */
export function offsetMsOf({ fromMs, toMs }: OffsetRange): number {
  return fromMs <= 0 && toMs >= 0 ? 0 : Math.round((fromMs + toMs) / 2);
}

/** In words, for a person who looks at a machine. @param offsetMs - how far the server's clock is ahead; undefined: not known yet. */
export function describeOffset(offsetMs: number | undefined): string {
  if (offsetMs === undefined) return 'the server has not told its time yet';
  if (Math.abs(offsetMs) < 1_000) return "this machine's clock agrees with the server's";
  const seconds = (Math.abs(offsetMs) / 1_000).toFixed(0);
  return `this machine's clock is ${seconds} s ${offsetMs > 0 ? 'behind' : 'ahead of'} the server's`;
}

/** Whether a clock is so far off that a person should set it. */
function isFarOff(offsetMs: number | undefined): boolean {
  return Math.abs(offsetMs ?? 0) > CLOCK_TOLERANCE_MS;
}

/**
 * How far the server's clock is from ours, from the `Date` of its answers. Machines in the field are minutes off when no time server is
 * in reach, and what they date is compared with what the server dated.
 */
export class ServerClock {
  #known: OffsetRange | undefined;
  readonly #onFarOff: (offsetMs: number) => void;

  /** @param onFarOff - told once whenever the difference has grown beyond {@link CLOCK_TOLERANCE_MS}. */
  constructor(onFarOff: (offsetMs: number) => void = () => undefined) {
    this.#onFarOff = onFarOff;
  }

  /** Milliseconds by which the server's clock is ahead of ours; undefined until an answer told. */
  get offsetMs(): number | undefined {
    return this.#known && offsetMsOf(this.#known);
  }

  hear(answer: DatedAnswer): void {
    const heard = offsetOf(answer);
    if (heard === undefined) return;
    const wasFarOff = isFarOff(this.offsetMs);
    this.#known = refine(this.#known, heard);
    const { offsetMs } = this;
    if (!wasFarOff && offsetMs !== undefined && isFarOff(offsetMs)) this.#onFarOff(offsetMs);
  }
}

/** A transport that lets a {@link ServerClock} hear the date of every answer. */
export function heardBy(serverClock: ServerClock, transport: Transport, clock: Clock): Transport {
  return {
    async send(request) {
      const sentAtMs = clock.wallNow();
      const response = await transport.send(request);
      serverClock.hear({ headers: response.headers, sentAtMs, receivedAtMs: clock.wallNow() });
      return response;
    },
    close: () => transport.close(),
  };
}
