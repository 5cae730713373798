import { bar, percent } from '../bars.js';
import { EXIT, UsageError } from '../exit-codes.js';
import type { Frame, Run } from '../frame.js';
import { selfCommand } from '../invocation.js';
import { startScreen } from '../screen.js';
import { jobOf } from '../serve/overview.js';
import { startSite, type Site } from '../serve/site.js';

const DEFAULT_PORT = 8000;
const DEFAULT_IMAGES = 20;
const REDRAW_MS = 500;

/** `antenna serve`. */
export const run: Run = async (frame) => {
  const { options, settings, cwd } = frame;
  const text = (name: string): string | undefined =>
    typeof options[name] === 'string' ? options[name] : undefined;
  const site = await startSite({
    port: wholeNumber(text('port'), '--port', DEFAULT_PORT, 65_535),
    host: settings.host ?? '127.0.0.1',
    cwd,
    dialect: settings.dialect === 'token' ? 'token' : 'api-key',
    seed: text('seed'),
    images: text('images'),
    count: Math.max(1, wholeNumber(text('count'), '--count', DEFAULT_IMAGES, 10_000)),
  });
  tell(frame, site);
  const unwatch = await watch(frame, site);
  const { onTermination } = await import('../../index.js');
  // Stays until the end: the screen's own listener ends the process if it is the only one that is left.
  const unlisten = await new Promise<() => void>((resolve) => {
    const end = (): void => {
      resolve(stop);
    };
    const stop = onTermination({ graceful: end, immediate: end });
  });
  unwatch();
  await site.close();
  unlisten();
  return EXIT.ok;
};

function wholeNumber(text: string | undefined, flag: string, byDefault: number, max: number): number {
  if (text === undefined) return byDefault;
  if (/^\d+$/.test(text) && Number(text) <= max) return Number(text);
  throw new UsageError(`${flag} must be a whole number up to ${max}`);
}

/** The credential of the first service or user: it opens this server and nothing else, so it may be shown. */
function environmentOf({ origin, dialect, keys, tokens }: Site): Readonly<Record<string, string>> {
  const key = Object.values(keys).flat()[0];
  const token = Object.values(tokens)[0];
  return {
    ANTENNA_API_URL: origin,
    ...(dialect === 'api-key' && key !== undefined ? { ANTENNA_API_KEY: key } : {}),
    ...(dialect === 'token' && token !== undefined ? { ANTENNA_API_AUTH_TOKEN: token } : {}),
  };
}

/** Where `antenna.config.json` of a worker's folder says what there is to run. */
const PIPELINE_SETTINGS = ['module', 'exec', 'attach', 'service', 'start', 'onnx'] as const;

function tell({ out, options, env, settings }: Frame, site: Site): void {
  const { origin, dialect, projects, keys, tokens, images } = site;
  const environment = environmentOf(site);
  out.document({
    ...{ url: origin, page: `${origin}/`, dialect, environment, keys, tokens, images },
    projects: projects.map(({ id, name }) => ({ id, name })),
    jobs: site.allJobs().map(({ id, name, pipelineSlug }) => ({ id, name, pipeline: pipelineSlug })),
  });
  const { paint } = out;
  const self = selfCommand(env);
  out.line(`${paint.bold('Contract server')}  ${origin}  (${dialect}, in memory: nothing is kept)`);
  out.line(`${paint.bold('Page')}             ${origin}/  (jobs, queue, deliveries, images)`);
  out.line(
    `${paint.bold('Images')}           ${images} ${typeof options['images'] === 'string' ? `of ${options['images']}` : 'generated'}`,
  );
  for (const { id, name } of projects) out.line(`${paint.bold('Project')}          ${id} ${name}`);
  out.line();
  out.line('In another terminal:');
  for (const [name, value] of Object.entries(environment)) out.line(`  export ${name}=${value}`);
  const project = projects[0] === undefined ? '' : ` --project ${projects[0].id}`;
  if (PIPELINE_SETTINGS.some((name) => settings[name] !== undefined)) out.line(`  ${self} run${project}`);
  else {
    out.line(`  ${self} init my-worker          # writes a worker to start from, if you have none`);
    out.line(`  ${self} run --module FILE${project}  # FILE exports what definePipeline returns`);
  }
  out.line();
  out.line(
    options['seed'] === undefined
      ? `A job with the ${images} images starts as soon as a worker registers its pipeline. Ctrl-C ends it all.`
      : 'Ctrl-C ends it all.',
  );
}

/** One line a job on a terminal, while it goes on. @returns a function that ends it. */
async function watch({ out }: Frame, site: Site): Promise<() => void> {
  if (!out.isTerminal) return () => undefined;
  const screen = await startScreen(out);
  const draw = (): void => {
    screen.show(
      site
        .allJobs()
        .slice(-8)
        .map((job) => lineOf(jobOf(job))),
    );
  };
  const timer = setInterval(draw, REDRAW_MS);
  return () => {
    clearInterval(timer);
    draw();
    screen.close();
  };
}

function lineOf({ id, status, pipeline, total, done, failed, queue }: ReturnType<typeof jobOf>): string {
  const share = total === 0 ? 0 : done / total;
  const facts = [
    `${done}/${total}`,
    percent(share),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(queue === null ? [] : [`${queue.outstanding} with workers`]),
  ];
  return `Job ${id} ${bar(share, 20)} ${facts.join(' · ')} · ${pipeline.slice(0, 24)} · ${status}`;
}
