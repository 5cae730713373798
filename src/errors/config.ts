import { AntennaError } from './base.js';

/** One wrong option or field. */
export interface ConfigIssue {
  /** Name of the option or path inside it, such as `"pipelines.0.algorithms"`. */
  readonly path: string;
  readonly message: string;
}

/**
 * Thrown before anything is sent, when options or arguments cannot work. It names every wrong one at once, so that fixing a
 * configuration takes one round.
 */
export class AntennaConfigError extends AntennaError {
  static override readonly className: string = 'AntennaConfigError';
  readonly issues: readonly ConfigIssue[];

  constructor(subject: string, issues: readonly ConfigIssue[]) {
    const lines = issues.map((issue) =>
      issue.path === '' ? issue.message : `${issue.path}: ${issue.message}`,
    );
    super({ code: 'config', message: `${subject}: ${lines.join('; ')}` });
    this.issues = issues;
  }
}
