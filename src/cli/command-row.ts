import type { Run } from './frame.js';
import type { SettingName } from './settings.js';

/** An option that one command alone has. */
interface OwnOption {
  readonly flag: string;
  readonly help: string;
  readonly repeated?: boolean;
}

/** What a command is called, what it takes, and what its help says. Its code is loaded when it runs. */
export interface CommandRow {
  /** `keys rotate` is a command of `keys`. */
  readonly name: string;
  readonly summary: string;
  /** As commander writes it, such as `<id>` or `[name]`. */
  readonly args?: string;
  readonly settings: readonly SettingName[];
  readonly own?: readonly OwnOption[];
  /** Command lines, each with what it is for. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  readonly load: () => Promise<{ readonly run: Run }>;
}
