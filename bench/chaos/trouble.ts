import { renameSync, writeFileSync } from 'node:fs';
import type { ContractServer, KeyHandle, ServiceHandle } from 'antenna-sdk/testing';
import type { Crew } from './crew.js';
import type { ChaosSettings } from './settings.js';

/** What trouble works on. */
export interface TroubleParts {
  readonly settings: ChaosSettings;
  readonly server: ContractServer;
  readonly service: ServiceHandle;
  readonly key: KeyHandle;
  readonly keyFile: string;
  readonly crew: Crew;
  /** In [0, 1). */
  readonly random: () => number;
  readonly print: (line: string) => void;
}

/** A new secret as an orchestrator mounts it: never half written. */
export function writeKey(file: string, key: KeyHandle): void {
  writeFileSync(`${file}.new`, `${key.value}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** The blows that come once, or by the clock: the outage, the key, the kills. Times are milliseconds of the monotonic clock. */
export class Trouble {
  readonly #parts: TroubleParts;
  #nextKillAt: number;
  #outageEndsAt: number | undefined;
  #newKeyAt: number | undefined;
  #outageOver: () => void = () => undefined;
  #revoked = false;
  #outageRequests = 0;

  constructor(parts: TroubleParts, nowMs: number) {
    this.#parts = parts;
    this.#nextKillAt = nowMs + this.#killPauseMs();
  }

  /** Requests that met nobody. */
  get outageRequests(): number {
    return this.#outageRequests;
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
}
