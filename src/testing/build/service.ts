import { assertOptions } from '../check.js';
import type { Antenna } from '../antenna.js';
import { issueKey } from '../state/keys.js';
import { insertService } from '../state/new-rows.js';
import type { KeyRow, ServiceRow } from '../state/rows.js';

/** A processing service to make. */
export interface ServiceOptions {
  readonly id?: number;
  /** Default `service-<id>`. */
  readonly name?: string;
  readonly description?: string;
  /** Pull services have none. */
  readonly endpointUrl?: string | null;
}

/** An API key to make. */
export interface KeyOptions {
  /** A whole key, `prefix.secret` of 8 + 32 characters. Default: random. */
  readonly value?: string;
  /** Wall time after which a server with `enforceKeyExpiry` refuses the key. */
  readonly expiresAt?: Date;
}

/** An API key. The server itself keeps only prefix and hash; this handle remembers the plain text for the test. */
export class KeyHandle {
  readonly #row: KeyRow;
  readonly #value: string;

  constructor(row: KeyRow, value: string) {
    this.#row = row;
    this.#value = value;
  }

  /** The plain key, `prefix.secret`. */
  get value(): string {
    return this.#value;
  }

  get prefix(): string {
    return this.#row.prefix;
  }

  get revoked(): boolean {
    return this.#row.revoked;
  }

  /** How many requests were accepted with this key. */
  get usageCount(): number {
    return this.#row.usageCount;
  }

  /** When a request was last accepted with it. */
  get lastUsedAt(): Date | null {
    return this.#row.lastUsedAt === null ? null : new Date(this.#row.lastUsedAt);
  }

  /** Revokes this key alone, as the admin site can. For good: a revoked key answers as an unknown one. */
  revoke(): void {
    this.#row.revoked = true;
  }

  /** Sets or removes the expiry; only a server with `enforceKeyExpiry` looks at it (T9). */
  expireAt(date: Date | null): void {
    this.#row.expiresAt = date?.getTime() ?? null;
  }
}

/** A processing service: the identity of a fleet of workers. */
export class ServiceHandle {
  readonly #antenna: Antenna;
  readonly #row: ServiceRow;

  constructor(antenna: Antenna, row: ServiceRow) {
    this.#antenna = antenna;
    this.#row = row;
  }

  get id(): number {
    return this.#row.id;
  }

  get name(): string {
    return this.#row.name;
  }

  /** Ids of the projects it belongs to. */
  get projectIds(): readonly number[] {
    return [...this.#row.projectIds];
  }

  /** Slugs of the pipelines registered for it. */
  get pipelines(): readonly string[] {
    return [...this.#row.pipelineIds].flatMap((id) => this.#antenna.store.pipelines.get(id)?.slug ?? []);
  }

  /** When a heartbeat last marked it. */
  get lastSeen(): Date | null {
    return this.#row.lastSeen === null ? null : new Date(this.#row.lastSeen);
  }

  /** What its workers said about themselves, merged (contract §9). */
  get clientInfo(): Readonly<Record<string, unknown>> | null {
    return this.#row.clientInfo;
  }

  /** Adds a key; earlier keys go on working, unlike with `generate_key`. */
  key(options: KeyOptions = {}): KeyHandle {
    assertOptions('key', options, { value: ['string'], expiresAt: ['object'] });
    const { row, value } = issueKey(this.#antenna.store, this.#row, this.#antenna.random, {
      ...(options.value === undefined ? {} : { value: options.value }),
      expiresAt: options.expiresAt?.getTime() ?? null,
    });
    return new KeyHandle(row, value);
  }

  /** Adds the service to another project. */
  join(project: { readonly id: number }): this {
    assertOptions('join', project, { id: ['number'] }, { required: ['id'], loose: true });
    this.#row.projectIds.add(project.id);
    return this;
  }
}

export function addService(antenna: Antenna, projectId: number, options: ServiceOptions): ServiceHandle {
  assertOptions('service', options, {
    ...{ id: ['number'], name: ['string'], description: ['string'], endpointUrl: ['string', 'null'] },
  });
  const { store } = antenna;
  const id = store.services.takeId(options.id);
  const name = options.name ?? `service-${id}`;
  return new ServiceHandle(
    antenna,
    insertService(store, { ...options, id, name, projectIds: new Set([projectId]) }),
  );
}
