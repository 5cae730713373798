// Whether this commit may be published: `npm run check:release`, with `-- --tag v1.2.3` for that tag. `npm publish` runs it by itself; a dry
// run is told what is missing and goes on.
import { pathToFileURL } from 'node:url';
import { readHere, readManifest, repositoryOf, type Manifest } from './manifest.js';

/** What a release is judged by. */
export interface Release {
  readonly manifest: Manifest;
  readonly changelog: string;
  /** Every other place that holds the version. */
  readonly versions: Readonly<Record<string, string | undefined>>;
  /** The git tag that is released, where there is one. */
  readonly tag?: string | undefined;
  /** The address of the repository that the workflow runs in. */
  readonly runsIn?: string | undefined;
}

const OWNERS = "CONTRIBUTING.md lists the owner's fields";
const PAGE = /^https:\/\/[^#]+$/;

function problemsOfFields(manifest: Manifest): string[] {
  const { homepage = '', bugs } = manifest;
  const reports = typeof bugs === 'string' ? bugs : (bugs?.url ?? bugs?.email ?? '');
  const repository = repositoryOf(manifest);
  const empty = Object.entries({ repository, homepage, bugs: reports }).filter(([, value]) => value === '');
  const problems = empty.map(([field]) => `package.json has no "${field}". ${OWNERS}`);
  if (repository !== '' && !/^git\+https:\/\/.+\.git$/.test(repository)) {
    problems.push(
      `"repository" is "${repository}"; npm compares it with where the workflow ran. Write it as git+https://HOST/OWNER/NAME.git`,
    );
  }
  if (homepage !== '' && !PAGE.test(homepage))
    problems.push(
      `"homepage" is "${homepage}", and the README's links go below it. Give the site's address, https and without #`,
    );
  return problems;
}

/** The version that the newest section of the changelog is about, and whether something stands above it. */
function newestOf(changelog: string): { version: string | undefined; unreleased: boolean } {
  const [, ...sections] = changelog.split(/^## /m);
  const isUnreleased = (section: string): boolean => /^\[unreleased\]/i.test(section);
  const unreleased = sections.some((section) => isUnreleased(section) && section.includes('\n- '));
  const newest = sections.find((section) => !isUnreleased(section));
  return { version: newest && /^\[([^\]]+)\]/.exec(newest)?.[1], unreleased };
}

/** What stands against publishing; empty when nothing does. */
export function problemsOf({ manifest, changelog, versions, tag, runsIn }: Release): string[] {
  const problems = problemsOfFields(manifest);
  const { version } = manifest;
  const newest = newestOf(changelog);
  if (newest.version !== version)
    problems.push(
      `The newest version in CHANGELOG.md is ${newest.version ?? 'missing'}, in package.json ${version}. Give what is released its heading`,
    );
  if (newest.unreleased)
    problems.push(`CHANGELOG.md has entries under [Unreleased]. Move them below [${version}]`);
  for (const [place, found] of Object.entries(versions)) {
    if (found !== version)
      problems.push(`${place} says ${found ?? 'no version'}, package.json ${version}. Make them one`);
  }
  if (tag !== undefined && tag !== `v${version}`)
    problems.push(
      `The tag is ${tag}, the version ${version}. Tag the commit that has the version, as v${version}`,
    );
  const repository = repositoryOf(manifest);
  if (runsIn !== undefined && repository !== '' && repository !== `git+${runsIn}.git`)
    problems.push(
      `"repository" is ${repository}, this workflow runs in ${runsIn}. The registry refuses the provenance unless they are the same, case included`,
    );
  return problems;
}

/** The release as it stands here. */
function releaseHere(env: NodeJS.ProcessEnv, args: readonly string[]): Release {
  const lock = JSON.parse(readHere('package-lock.json')) as {
    version?: string;
    packages: Record<string, { version?: string }>;
  };
  const flag = args.indexOf('--tag');
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY } = env;
  return {
    manifest: readManifest(),
    changelog: readHere('CHANGELOG.md'),
    versions: {
      'package-lock.json': lock.version,
      'package-lock.json, packages[""]': lock.packages['']?.version,
      'src/version.ts': /VERSION = '([^']+)'/.exec(readHere('src/version.ts'))?.[1],
      'python/antenna_handler.py': /antenna_handler\.py\/([\w.-]+)"/.exec(
        readHere('python/antenna_handler.py'),
      )?.[1],
    },
    tag: flag >= 0 ? args[flag + 1] : env['GITHUB_REF_TYPE'] === 'tag' ? env['GITHUB_REF_NAME'] : undefined,
    runsIn: GITHUB_REPOSITORY && GITHUB_SERVER_URL && `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}`,
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const problems = problemsOf(releaseHere(process.env, process.argv.slice(2)));
  // npm tells its scripts of `--dry-run` by this variable.
  const isDryRun = process.env['npm_config_dry_run'] === 'true';
  if (problems.length === 0) console.log('Ready to be published.');
  else {
    console.error(
      isDryRun
        ? 'A real publish would be refused:'
        : 'Not to be published, nothing was sent to the registry:',
    );
    for (const problem of problems) console.error(`- ${problem}.`);
    if (!isDryRun) process.exitCode = 1;
  }
}
