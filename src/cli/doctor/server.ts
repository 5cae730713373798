import type { AntennaClient, CredentialReport, JobSummary } from '../../index.js';
import { formatBytes, formatDuration } from '../durations.js';
import { codeOf, fail, ok, skip, warn, type Check } from './check.js';

/** What the doctor wants to know of the server. */
export interface ServerQuestions {
  readonly projects: readonly number[] | undefined;
  /** Slugs; empty when no pipeline was given. */
  readonly pipelines: readonly string[];
  /** Take a task to see whether its image can be downloaded. */
  readonly takeTask: boolean;
}

const ROUND_TRIPS = 5;

/** The server through the eyes of the credential. Only reads, unless a task is to be taken. */
export async function checkServer(
  client: AntennaClient,
  questions: ServerQuestions,
): Promise<readonly Check[]> {
  const { checkCredential } = await import('../../index.js');
  let report: CredentialReport;
  try {
    report = await checkCredential(client, { projects: questions.projects });
  } catch (error) {
    return [
      fail(
        'credential',
        messageOf(error),
        'mend what the sentence says, and run antenna doctor again',
        error,
      ),
    ];
  }
  const checks = credentialChecks(report, client);
  if (!report.valid) return checks;
  checks.push(await roundTrips(client));
  const jobs = await openJobs(client, questions);
  checks.push(jobs.check, await imageCheck(client, jobs.found, questions));
  return checks;
}

function credentialChecks(report: CredentialReport, client: AntennaClient): Check[] {
  const { valid, kind, dialect, user, service, cannot, projects, summary } = report;
  const [limit] = cannot;
  if (!valid)
    return [
      fail(
        'credential',
        `${kind === 'none' ? 'none' : kind}: ${limit?.why ?? summary}`,
        limit?.change ?? '',
        { code: 'credential' },
      ),
    ];
  const whose = service
    ? `key of the service ${service.name}`
    : user
      ? `token of user ${user.id}${user.name ? ` (${user.name})` : ''}`
      : 'key';
  const checks = [ok('credential', `${whose}, accepted`)];
  const expected = client.dialect;
  checks.push(
    expected !== undefined && dialect !== undefined && expected !== dialect
      ? fail(
          'dialect',
          `the server is of the kind ${dialect}, the settings say ${expected}`,
          `set --dialect ${dialect}`,
        )
      : ok('dialect', dialect ?? 'not told'),
  );
  const served = projects.filter(({ serves }) => serves);
  const names = served.map(({ id, name }) => (name === undefined ? String(id) : `${id} ${name}`)).join(', ');
  const without = projects.filter(({ serves }) => !serves);
  if (served.length > 0)
    checks.push({ ...ok('projects', `gets tasks of ${names}`), projects: served.map(({ id }) => id) });
  for (const { id, why } of without.slice(0, 5))
    checks.push(
      warn(
        'projects',
        `project ${id}: ${why ?? 'gets no tasks'}`,
        'leave it out, or have the service added to it',
      ),
    );
  if (served.length === 0) checks.push(noProjects(report));
  for (const { what, why, change } of cannot)
    if (what === 'register_pipelines') checks.push(warn('may', `cannot register pipelines: ${why}`, change));
  return checks;
}

function noProjects({ cannot, complete, unknown }: CredentialReport): Check {
  const limit = cannot.find(({ what }) => what === 'take_tasks');
  if (limit) return fail('projects', `gets no tasks: ${limit.why}`, limit.change, { code: 'credential' });
  const detail =
    unknown[0] ?? `gets tasks of no project that was found${complete ? '' : ' among the first hundred'}`;
  return warn('projects', detail, 'name the projects: --project ID; or have the service added to one');
}

async function roundTrips(client: AntennaClient): Promise<Check> {
  const times: number[] = [];
  try {
    for (let at = 0; at < ROUND_TRIPS; at++) {
      const startedAt = performance.now();
      await client.projects.list({ limit: 1 }, { nocache: true });
      times.push(performance.now() - startedAt);
    }
  } catch (error) {
    return warn(
      'round trip',
      messageOf(error),
      'run antenna doctor again; if it stays, the server is the one to look at',
    );
  }
  times.sort((a, b) => a - b);
  const median = times[ROUND_TRIPS >> 1] ?? 0;
  const detail = `${formatMs(median)} in the middle, ${formatMs(times.at(-1) ?? 0)} at most, of ${ROUND_TRIPS}`;
  return median > 2_000
    ? warn('round trip', detail, 'the server or the way to it is slow: workers wait for each task')
    : ok('round trip', detail);
}

const formatMs = (ms: number): string => (ms < 1_000 ? `${ms.toFixed(0)} ms` : formatDuration(ms));

async function openJobs(
  client: AntennaClient,
  { pipelines, projects }: ServerQuestions,
): Promise<{ readonly check: Check; readonly found: readonly JobSummary[] }> {
  if (pipelines.length === 0)
    return { check: skip('jobs', 'no pipeline given: --module FILE or --pipeline SLUG'), found: [] };
  try {
    const found: JobSummary[] = [];
    for (const project of projects ?? [undefined])
      found.push(...(await client.jobs.open({ pipelines, project })));
    const check =
      found.length > 0
        ? ok('jobs', `${found.length} open for ${pipelines.join(', ')}`)
        : warn(
            'jobs',
            `none open for ${pipelines.join(', ')}`,
            'a worker would wait; start a job in Antenna with one of these pipelines',
          );
    return { check, found };
  } catch (error) {
    return { check: fail('jobs', messageOf(error), 'a worker could not find its jobs', error), found: [] };
  }
}

/** The server shows an image's address only to whoever takes its task, and a task cannot be given back. */
async function imageCheck(
  client: AntennaClient,
  jobs: readonly JobSummary[],
  { takeTask }: ServerQuestions,
): Promise<Check> {
  if (!takeTask)
    return skip(
      'image',
      'addresses of images come with tasks: --take-task takes one, at the cost of one of its deliveries',
    );
  const { Downloader, systemClock } = await import('../../index.js');
  const downloader = new Downloader({ clock: systemClock, limits: { attempts: 1, proxy: client.proxy } });
  for (const { id } of jobs.slice(0, 5)) {
    try {
      const [task] = await client.tasks.reserve(id, { batchSize: 1 });
      if (task === undefined) continue;
      const startedAt = performance.now();
      const { bytes } = await downloader.download(task, AbortSignal.timeout(60_000));
      return ok(
        'image',
        `${formatBytes(bytes.length)} of job ${id} in ${formatMs(performance.now() - startedAt)}; its task comes again after its lease`,
      );
    } catch (error) {
      const fix = `the images’ server is another one than Antenna: check that this machine reaches it (${codeOf(error)})`;
      return fail('image', `of job ${id}: ${messageOf(error)}`, fix, error);
    }
  }
  await downloader.close();
  return skip('image', 'no open job had a task to give');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
