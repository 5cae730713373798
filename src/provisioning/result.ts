import type { ProcessingService } from '../contract/processing-services.js';
import type { RegistrationReport } from '../registration/report.js';
import type { Dialect } from '../resources/core.js';
import type { ProvisionedKey } from '../auth/provisioned-key.js';

/** What a provisioning came to. Frozen, and printable: the key in it is opaque. */
export interface Provisioned {
  readonly dialect: Dialect;
  readonly project: { readonly id: number; readonly name: string; readonly draft: boolean };
  /** The service as it is now. */
  readonly service: Readonly<ProcessingService>;
  readonly serviceOutcome: 'created' | 'found';
  /** The new key; undefined when the existing one was kept, or the server has no keys. */
  readonly key: ProvisionedKey | undefined;
  /** `rotated`: generated, and the keys before it ended. */
  readonly keyOutcome: 'generated' | 'rotated' | 'kept' | 'unsupported';
  /** What became of the registration; undefined when none was sent, and `notes` says why. */
  readonly registration: RegistrationReport | undefined;
  /** What the caller should know or do, a sentence each; often empty. */
  readonly notes: readonly string[];
}

/** What the two ways of provisioning find out for themselves. */
export type Outcome = Omit<Provisioned, 'dialect' | 'project'>;
