import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseEnv } from 'node:util';
import { UsageError } from './exit-codes.js';
import { readSetting } from './read-setting.js';
import { SETTINGS, type SettingName, type Settings, type SettingSpec } from './settings.js';

type Env = Readonly<Record<string, string | undefined>>;

/** Where a setting came from, for `doctor` and for messages. */
interface Origin {
  /** 0 is the strongest: flag, environment, file of variables, configuration file. */
  readonly rank: 0 | 1 | 2 | 3;
  /** Such as `--url`, `ANTENNA_API_URL` or `antenna.config.json`. */
  readonly label: string;
}

/** What all sources together say. */
export interface Configuration {
  readonly settings: Settings;
  readonly origins: Readonly<Partial<Record<SettingName, Origin>>>;
  /** A sentence each: unknown names, names without a meaning here, secrets on the command line. */
  readonly warnings: readonly string[];
}

/** Names that the library or an example reads by itself, or that mark a process of ours. */
const ALSO_KNOWN = new Set([
  'ANTENNA_WORKER_INDEX',
  'ANTENNA_CONFIG',
  'ANTENNA_ENV_FILE',
  'ANTENNA_ATTACH_TOKEN',
]);

/** Variables of the Python worker that mean nothing here, and what takes their place. */
const WITHOUT_MEANING: Readonly<Record<string, string>> = {
  AMI_NUM_WORKERS: 'downloads are sized by measurement',
  AMI_LOCALIZATION_BATCH_SIZE: 'the pipeline says how many images a call takes',
  AMI_CLASSIFICATION_BATCH_SIZE: 'the pipeline says how many images a call takes',
  AMI_USER_DATA_PATH: 'the pipeline knows where its weights are',
  AMI_ANTENNA_API_DATALOADER_PIN_MEMORY: 'there is no data loader',
  AMI_ANTENNA_API_DATALOADER_PREFETCH_FACTOR: 'how much is fetched ahead is measured',
  AMI_ANTENNA_API_DATALOADER_DOWNLOAD_THREADS: 'downloads are sized by measurement',
  AMI_ANTENNA_API_DATALOADER_MP_CONTEXT: 'there is no data loader',
  AMI_ANTENNA_API_DATALOADER_TIMEOUT_S: 'there is no data loader',
  AMI_ANTENNA_MAX_PENDING_POSTS: 'results are kept until the server has them',
  AMI_ANTENNA_IDLE_SLEEP_SECONDS: 'the server is polled every 5 s while there is nothing to do',
};

/** What Kubernetes puts into every container for a service that is named antenna or ami: not ours, and no mistake. */
const KUBERNETES = /^(?:ANTENNA|AMI)_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_\w+)?)$/;

/** What is read from. */
export interface Sources {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Env;
  readonly cwd: string;
  readonly envFile?: string | undefined;
  readonly configFile?: string | undefined;
}

interface Layer {
  readonly rank: Origin['rank'];
  /** The raw value and its name, if this source has one. */
  readonly find: (name: SettingName) => { readonly raw: unknown; readonly label: string } | undefined;
}

/**
 * Reads the settings: flags, then the environment, then `--env-file`, then `antenna.config.json` or `.js`.
 * @throws UsageError naming every value that cannot be used, and none of them.
 */
export async function readConfiguration(sources: Sources): Promise<Configuration> {
  const { flags, env } = sources;
  const warnings: string[] = [];
  const envFile = readEnvFile(sources, env);
  const config = await readConfigFile(sources, env, warnings);
  const layers: Layer[] = [
    { rank: 0, find: (name) => fromFlags(flags, name) },
    { rank: 1, find: (name) => fromVariables(env, name, '') },
    { rank: 2, find: (name) => fromVariables(envFile.variables, name, ` in ${envFile.path}`) },
    {
      rank: 3,
      find: (name) =>
        name in config.values ? { raw: config.values[name], label: `${name} in ${config.path}` } : undefined,
    },
  ];
  const settings: Record<string, unknown> = {};
  const origins: Partial<Record<SettingName, Origin>> = {};
  const problems: string[] = [];
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    for (const { rank, find } of layers) {
      const found = find(name);
      if (found === undefined) continue;
      const read = readSetting(name, found.raw);
      if ('problem' in read) problems.push(`${found.label} ${read.problem}`);
      else {
        settings[name] = read.value;
        origins[name] = { rank, label: found.label };
      }
      break;
    }
    if (origins[name]?.rank === 0 && 'secret' in SETTINGS[name]) warnings.push(secretWarning(name));
  }
  if (problems.length > 0) throw new UsageError(`Cannot use the configuration: ${problems.join('; ')}`);
  warnings.push(...strangers(env, ''), ...strangers(envFile.variables, ` in ${envFile.path}`));
  return { settings, origins, warnings };
}

function secretWarning(name: SettingName): string {
  const spec: SettingSpec = SETTINGS[name];
  const [flag = ''] = spec.flag.split(' ');
  return (
    `${flag} puts a secret on the command line, where every user of this machine and the shell's history can read it: ` +
    `set ${spec.env?.[0] ?? 'a variable'} or a file, or leave it out and be asked`
  );
}

function fromFlags(flags: Readonly<Record<string, unknown>>, name: SettingName): ReturnType<Layer['find']> {
  const raw = flags[name];
  return raw === undefined ? undefined : { raw, label: SETTINGS[name].flag.split(' ')[0] ?? name };
}

function fromVariables(env: Env, name: SettingName, where: string): ReturnType<Layer['find']> {
  const { env: names = [] }: SettingSpec = SETTINGS[name];
  for (const variable of names) {
    const raw = env[variable];
    if (raw !== undefined && raw.trim() !== '') return { raw, label: variable + where };
  }
  return undefined;
}

function readEnvFile(
  { envFile, cwd }: Sources,
  env: Env,
): { readonly path: string; readonly variables: Env } {
  const path = envFile ?? env['ANTENNA_ENV_FILE'];
  if (path === undefined) return { path: '', variables: {} };
  try {
    return { path, variables: parseEnv(readFileSync(resolve(cwd, path), 'utf8')) };
  } catch (error) {
    throw new UsageError(`Cannot read --env-file ${path}: ${reasonOf(error)}`);
  }
}

const CONFIG_FILES = ['antenna.config.json', 'antenna.config.js', 'antenna.config.mjs'];

async function readConfigFile(
  { configFile, cwd }: Sources,
  env: Env,
  warnings: string[],
): Promise<{ readonly path: string; readonly values: Readonly<Record<string, unknown>> }> {
  const named = configFile ?? env['ANTENNA_CONFIG'];
  const path = named ?? CONFIG_FILES.find((name) => existsSync(resolve(cwd, name)));
  if (path === undefined) return { path: '', values: {} };
  let content: unknown;
  try {
    content = await load(resolve(cwd, path));
  } catch (error) {
    throw new UsageError(`Cannot read the configuration ${path}: ${reasonOf(error)}`);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new UsageError(
      `Cannot read the configuration ${path}: it must hold an object such as { "url": "https://…" }`,
    );
  for (const name of Object.keys(content))
    if (!(name in SETTINGS)) warnings.push(`${JSON.stringify(name)} in ${path} is not known and was ignored`);
  return { path, values: content as Readonly<Record<string, unknown>> };
}

async function load(path: string): Promise<unknown> {
  if (path.endsWith('.json')) return JSON.parse(readFileSync(path, 'utf8'));
  const module = (await import(pathToFileURL(path).href)) as { readonly default?: unknown };
  return module.default;
}

/** The class and the system's code of an error, and of a parse error no more: JSON.parse quotes what it read. */
function reasonOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  if (code === 'ENOENT') return 'there is no such file';
  if (error instanceof SyntaxError) return 'it is not valid JSON or JavaScript';
  return typeof code === 'string' ? code : error instanceof Error ? error.name : 'it failed';
}

function strangers(env: Env, where: string): string[] {
  const known = new Set<string>(Object.values(SETTINGS).flatMap((spec) => ('env' in spec ? spec.env : [])));
  return Object.keys(env)
    .filter((name) => /^(?:ANTENNA|AMI)_/.test(name) && !known.has(name) && !ALSO_KNOWN.has(name))
    .filter((name) => !(KUBERNETES.test(name) && env['KUBERNETES_SERVICE_HOST'] !== undefined))
    .sort()
    .map((name) => {
      const instead = WITHOUT_MEANING[name];
      return instead === undefined
        ? `${name}${where} is not known and was ignored: look for a misspelling`
        : `${name}${where} has no meaning here: ${instead}`;
    });
}
