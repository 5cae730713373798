import { renameSync, writeFileSync } from 'node:fs';
import type { ContractServer, JobHandle, KeyHandle, ServiceHandle } from 'antenna-sdk/testing';
import type { Crew } from './crew.js';
import type { ChaosSettings } from './settings.js';

/** What trouble works on. */
export interface TroubleParts {
  readonly settings: ChaosSettings;
  readonly server: ContractServer;
  readonly service: ServiceHandle;
  readonly job: JobHandle;
  readonly key: KeyHandle;
  readonly keyFile: string;
  readonly crew: Crew;
  /** In [0, 1). */
  readonly random: () => number;
  readonly print: (line: string) => void;
}

/** What came of the phase in which the server saved slowly, for the job that is counted. */
export interface SlowSaving {
  /** How long it was; less than the settings say if the job ended first. */
  readonly durationMs: number;
  /** Most results that waited to be saved at once, of all jobs. */
  readonly waited: number;
  readonly deliveries: number;
  /** Outcomes counted. */
  readonly saved: number;
}

/** A new secret as an orchestrator mounts it: never half written. */
export function writeKey(file: string, key: KeyHandle): void {
  writeFileSync(`${file}.new`, `${key.value}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** The blows that come once, or by the clock: the outage, the slow saving, the key, the kills. Times are milliseconds of the monotonic clock. */
export class Trouble {
  readonly #parts: TroubleParts;
  #nextKillAt: number;
  #outageEndsAt: number | undefined;
  #newKeyAt: number | undefined;
  #outageOver: () => void = () => undefined;
  #revoked = false;
  #outageRequests = 0;
  #slow: { readonly sinceMs: number; readonly delivered: number; readonly counted: number } | undefined;
  #slowSaving: SlowSaving | undefined;
  #slowOver = false;

  constructor(parts: TroubleParts, nowMs: number) {
    this.#parts = parts;
    this.#nextKillAt = nowMs + this.#killPauseMs();
  }

  /** Requests that met nobody. */
  get outageRequests(): number {
    return this.#outageRequests;
  }

  /** Undefined if the run never came so far. */
  get slowSaving(): SlowSaving | undefined {
    return this.#slowSaving;
  }

  /** Whether the key was revoked and a new one given. */
  get keyReplaced(): boolean {
    return this.#revoked && this.#newKeyAt === undefined;
  }

  /** @param share - of the tasks that is counted. */
  tick(share: number, nowMs: number): void {
    this.#kill(share, nowMs);
    this.#replaceKey(share, nowMs);
    this.#strikeOut(share, nowMs);
    this.#slowDown(share, nowMs);
  }

  #kill(share: number, nowMs: number): void {
    const { settings, crew, random } = this.#parts;
    const { untilShare, atMost } = settings.kills;
    if (nowMs < this.#nextKillAt || share >= untilShare || crew.report.kills >= atMost) return;
    this.#nextKillAt = nowMs + this.#killPauseMs();
    crew.killOne(random());
  }

  #killPauseMs(): number {
    const { settings, random } = this.#parts;
    return settings.kills.everyMs * (0.5 + random());
  }

  #replaceKey(share: number, nowMs: number): void {
    const { settings, key, service, keyFile, print } = this.#parts;
    if (!this.#revoked && share >= settings.key.atShare) {
      this.#revoked = true;
      key.revoke();
      this.#newKeyAt = nowMs + settings.key.gapMs;
      print('the key is revoked');
    }
    if (this.#newKeyAt !== undefined && nowMs >= this.#newKeyAt) {
      this.#newKeyAt = undefined;
      writeKey(keyFile, service.key());
      print('a new key is in the file');
    }
  }

  #strikeOut(share: number, nowMs: number): void {
    const { settings, server, print } = this.#parts;
    if (this.#outageEndsAt === undefined && share >= settings.outage.atShare) {
      this.#outageEndsAt = nowMs + settings.outage.durationMs;
      const outage = server.faults.outage();
      this.#outageOver = () => {
        this.#outageRequests = outage.hits;
        outage.remove();
      };
      print(`an outage of ${settings.outage.durationMs / 1_000} s begins`);
    }
    if (this.#outageEndsAt !== undefined && nowMs >= this.#outageEndsAt) {
      this.#outageEndsAt = Number.POSITIVE_INFINITY;
      this.#outageOver();
      print('the outage is over');
    }
  }

  #slowDown(share: number, nowMs: number): void {
    const { settings, server, job, print } = this.#parts;
    const { atShare, durationMs, perSecond } = settings.slowSaving;
    if (this.#slowOver || (!this.#slow && share < atShare)) return;
    const delivered = job.ledger.total('delivered');
    const counted = job.ledger.total('counted');
    if (!this.#slow) {
      this.#slow = { sinceMs: nowMs, delivered, counted };
      server.saving.perSecond = perSecond;
      print(`the server saves ${perSecond} results a second for ${durationMs / 1_000} s`);
    }
    this.#slowSaving = {
      durationMs: nowMs - this.#slow.sinceMs,
      waited: Math.max(this.#slowSaving?.waited ?? 0, server.saving.backlog),
      deliveries: delivered - this.#slow.delivered,
      saved: counted - this.#slow.counted,
    };
    if (nowMs < this.#slow.sinceMs + durationMs) return;
    this.#slowOver = true;
    server.saving.perSecond = Number.POSITIVE_INFINITY;
    print('the server saves at once again');
  }
}
