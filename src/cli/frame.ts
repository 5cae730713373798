import type { Completable } from './completion.js';
import type { Output } from './output.js';
import type { Configuration } from './sources.js';

/** What a command gets to work with. */
export interface Frame extends Configuration {
  readonly out: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whether somebody can be asked. */
  readonly interactive: boolean;
  /** Positional arguments, and the command's own options by name. */
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** A frame, and what there is to choose from. */
export interface CommandFrame extends Frame {
  /** All commands and flags, for completion. */
  readonly completable: () => Completable;
}

/** Runs a command. @returns the exit code. */
export type Run = (frame: CommandFrame) => Promise<number>;
