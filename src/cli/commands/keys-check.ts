import { connect } from '../connect.js';
import { EXIT } from '../exit-codes.js';
import type { Run } from '../frame.js';

/** `antenna keys check`. */
export const run: Run = async (frame) => {
  const { out, settings } = frame;
  const { checkCredential } = await import('../../index.js');
  await using client = await connect(frame);
  const report = await checkCredential(client, { projects: settings.project });
  out.document(report);
  out.line(report.valid ? out.paint.green(report.summary) : out.paint.red(report.summary));
  for (const { id, name, serves, why } of report.projects)
    out.line(
      `  project ${id}${name === undefined ? '' : ` ${name}`}: ${serves ? 'gets tasks' : (why ?? 'gets no tasks')}`,
    );
  if (report.valid)
    for (const { what, why, change } of report.cannot)
      out.line(`  cannot ${what.replaceAll('_', ' ')}: ${why}. What to change: ${change}`);
  for (const sentence of report.unknown) out.line(`  not told: ${sentence}`);
  return report.valid ? EXIT.ok : EXIT.refused;
};
