import type { AntennaClient, RegistrationReport } from '../../index.js';
import { connect } from '../connect.js';
import { EXIT, exitCodeOf, UsageError } from '../exit-codes.js';
import type { Frame, Run } from '../frame.js';
import { loadPipelines } from '../load-pipelines.js';

/** What became of one project. */
interface Row {
  readonly project: number;
  readonly ok: boolean;
  readonly registered: readonly string[];
  /** What the server did otherwise than asked, or why it refused. */
  readonly messages: readonly string[];
  readonly exitCode: number;
}

/** `antenna register`. */
export const run: Run = async (given) => {
  const frame = withPositionalName(given);
  const { out } = frame;
  const loaded = await loadPipelines(frame);
  const configs = loaded.pipelines.map(({ config }) => config);
  await loaded.close();
  await using client = await connect(frame);
  const projects = frame.settings.project ?? (await reachable(client));
  const rows: Row[] = [];
  for (const project of projects) {
    const row = await attempt(project, () => client.pipelines.register(project, configs));
    rows.push(row);
    const mark = row.ok ? out.paint.green('✓') : out.paint.red('✗');
    out.line(`${mark} project ${project}: ${row.ok ? `registered ${row.registered.join(', ')}` : 'failed'}`);
    for (const message of row.messages) out.line(`    ${message}`);
  }
  const failed = rows.filter(({ ok }) => !ok);
  out.document({ ok: failed.length === 0, projects: rows.map(({ exitCode: _, ...row }) => row) });
  out.line(`${rows.length - failed.length} of ${rows.length} projects have the pipelines`);
  return failed[0] === undefined ? EXIT.ok : EXIT.failed;
};

/** Documentation of the Python worker still shows the name as an argument. */
function withPositionalName(frame: Frame): Frame {
  const [name] = frame.args;
  if (name === undefined) return frame;
  frame.out.note(`Took ${JSON.stringify(name)} for --service-name.`);
  return { ...frame, settings: { ...frame.settings, serviceName: frame.settings.serviceName ?? name } };
}

/** Every project in which the credential may register; on servers without keys every one that it sees. */
async function reachable(client: AntennaClient): Promise<readonly number[]> {
  const { checkCredential } = await import('../../index.js');
  const report = await checkCredential(client);
  if (!report.valid) throw Object.assign(new Error(report.summary), { code: 'credential' });
  const seen =
    client.dialect === 'token'
      ? await all(client)
      : report.projects.filter(({ serves }) => serves).map(({ id }) => id);
  if (seen.length > 0) return seen;
  throw new UsageError(`There is no project to register with. ${report.summary}. Name one: --project ID`);
}

async function all(client: AntennaClient): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of client.projects.list()) ids.push(id);
  return ids;
}

async function attempt(project: number, register: () => Promise<RegistrationReport>): Promise<Row> {
  try {
    const { ok, pipelines, deviations } = await register();
    const messages = deviations.map(({ pipeline, message }) => `${pipeline}: ${message}`);
    return {
      project,
      ok,
      registered: pipelines.map(({ slug }) => slug),
      messages,
      exitCode: ok ? EXIT.ok : EXIT.failed,
    };
  } catch (error) {
    const exitCode = exitCodeOf(error);
    // Neither gets better with the next project.
    if (exitCode === EXIT.unreachable || exitCode === EXIT.usage) throw error;
    const messages = [error instanceof Error ? error.message : String(error)];
    return { project, ok: false, registered: [], messages, exitCode };
  }
}
