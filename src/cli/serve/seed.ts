import type { ContractServerSeed, ParsedSeed } from '../../testing/serving.js';

/** Names in the default seed. */
const SERVICE_NAME = 'my-worker';
const USER_EMAIL = 'worker@example.org';

/**
 * A project with a service and its key, and a staff user for those who want to look on. No pipeline: one without the worker's own algorithms
 * would take no result, and those the worker alone knows.
 */
export function defaultSeed(dialect: 'api-key' | 'token'): ContractServerSeed {
  return {
    dialect,
    users: [{ email: USER_EMAIL, password: 'antenna', staff: true, superuser: true }],
    projects: [{ name: 'Meadow', owner: USER_EMAIL, services: [{ name: SERVICE_NAME }] }],
  };
}

/** A seed whose images are there: numbers become so many of ours, and paths become addresses on our image host. */
export function withImages(seed: ParsedSeed, origin: string, images: readonly string[]): ParsedSeed {
  const addressOf = (url: string): string =>
    URL.canParse(url) ? url : `${origin}/${url.replace(/^\//, '')}`;
  return {
    ...seed,
    projects: seed.projects.map((project) => ({
      ...project,
      jobs: project.jobs.map((job) => ({
        ...job,
        images:
          typeof job.images === 'number'
            ? Array.from({ length: job.images }, (_, at) => images[at % images.length] ?? '')
            : job.images.map((image) => {
                if (typeof image === 'string') return addressOf(image);
                return { ...image, url: image.url === null ? null : addressOf(image.url) };
              }),
      })),
    })),
  };
}
