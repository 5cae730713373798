import { addressOf, connect, hasProxy } from '../connect.js';
import { fail, type Check } from '../doctor/check.js';
import { checkMachine } from '../doctor/machine.js';
import { checkNetwork } from '../doctor/network.js';
import { nextSteps } from '../doctor/next-steps.js';
import { checkServer } from '../doctor/server.js';
import { EXIT, UsageError } from '../exit-codes.js';
import type { Frame, Run } from '../frame.js';
import { selfCommand } from '../invocation.js';
import { optionalPipelines } from '../load-pipelines.js';
import type { Output } from '../output.js';

/** `antenna doctor`. Looks at everything, also after a failure, so that mending takes one round. */
export const run: Run = async (frame) => {
  const { out, settings, env, cwd } = frame;
  const { redact } = await import('../../index.js');
  const checks: Check[] = [];
  const add = (found: readonly Check[]): void => {
    for (const check of found) {
      const clean = {
        ...check,
        detail: redact(check.detail, []),
        ...(check.fix === undefined ? {} : { fix: redact(check.fix, []) }),
      };
      checks.push(clean);
      show(out, clean);
    }
  };
  out.line(out.paint.bold('This machine'));
  add(await checkMachine({ spool: settings.spool, cwd, env }));
  out.line(out.paint.bold('The way to the server'));
  add(await network(frame));
  if (
    !checks.some(
      ({ status, name }) => status === 'fail' && ['address', 'name', 'tls', 'answer'].includes(name),
    )
  ) {
    out.line(out.paint.bold('The server'));
    add(await server(frame));
  }
  return conclude(frame, checks);
};

const MARKS = { ok: '✓', warn: '!', fail: '✗', skip: '–' } as const;

function show(out: Output, { name, status, detail, fix }: Check): void {
  const { paint } = out;
  const colour = { ok: paint.green, warn: paint.yellow, fail: paint.red, skip: paint.dim }[status];
  out.line(`  ${colour(MARKS[status])} ${name.padEnd(11)} ${status === 'skip' ? paint.dim(detail) : detail}`);
  if (fix !== undefined && fix !== '') out.line(`                → ${fix}`);
}

async function network(frame: Frame): Promise<readonly Check[]> {
  try {
    return await checkNetwork(
      addressOf(frame),
      frame.settings.proxy ?? (hasProxy(frame.env) ? 'env' : undefined),
    );
  } catch (error) {
    if (error instanceof UsageError)
      return [
        fail(
          'address',
          error.message,
          `export ANTENNA_API_URL=https://antenna.example.org; without a server: ${selfCommand(frame.env)} serve`,
          error,
        ),
      ];
    throw error;
  }
}

async function server(frame: Frame): Promise<readonly Check[]> {
  const checks: Check[] = [];
  let slugs = frame.settings.pipeline ?? [];
  try {
    const loaded = await optionalPipelines(frame);
    slugs = loaded?.pipelines.map(({ slug }) => slug) ?? slugs;
    await loaded?.close();
  } catch (error) {
    checks.push(fail('pipelines', (error as Error).message, 'a worker could not start with it', error));
  }
  try {
    await using client = await connect(frame);
    const questions = {
      projects: frame.settings.project,
      pipelines: slugs,
      takeTask: frame.options['takeTask'] === true,
    };
    return [...checks, ...(await checkServer(client, questions))];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [
      ...checks,
      fail(
        'credential',
        message,
        `${selfCommand(frame.env)} provision makes a key, with a staff user`,
        error,
      ),
    ];
  }
}

function conclude(frame: Frame, checks: readonly Check[]): number {
  const { out } = frame;
  const failed = checks.filter(({ status }) => status === 'fail');
  out.document({ ok: failed.length === 0, checks: checks.map(({ error: _, ...check }) => check) });
  out.line();
  if (failed.length > 0) {
    out.line(out.paint.red(`${failed.length} of ${checks.length} checks would stop a worker.`));
    return EXIT.failed;
  }
  out.line(out.paint.green('Nothing here would stop a worker.'));
  for (const line of nextSteps(frame, checks.find(({ projects }) => projects)?.projects)) out.line(line);
  return EXIT.ok;
}
