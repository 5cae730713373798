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

/** Runs a command. @returns the exit code. */
export type Run = (frame: Frame) => Promise<number>;
