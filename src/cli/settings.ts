/** How the text of a setting is read. */
export type Kind =
  'socket' | 'text' | 'count' | 'number' | 'ids' | 'list' | 'duration' | 'switch' | 'workers';

/** One thing that may be set. */
export interface SettingSpec {
  readonly kind: Kind;
  /** As commander takes it. */
  readonly flag: string;
  readonly help: string;
  /** Variables that set it, the first that is there wins. */
  readonly env?: readonly string[];
  /** Never printed; a warning when given by flag, which every user of the machine can read in the list of processes. */
  readonly secret?: boolean;
}

/** Everything that may be set, and by which names. A flag beats the environment, that an `--env-file`, and that `antenna.config.json` or `.js`. */
export const SETTINGS = {
  url: {
    kind: 'text',
    flag: '--url <address>',
    help: 'address of the server, such as https://antenna.example.org',
    env: ['ANTENNA_API_URL', 'ANTENNA_API_BASE_URL', 'AMI_ANTENNA_API_BASE_URL'],
  },
  apiKey: {
    kind: 'text',
    flag: '--api-key <key>',
    help: 'API key; better by environment, file or prompt',
    env: ['ANTENNA_API_KEY', 'AMI_ANTENNA_API_KEY'],
    secret: true,
  },
  apiKeyFile: {
    kind: 'text',
    flag: '--api-key-file <path>',
    help: 'file with the API key, read again when it changes',
    env: ['ANTENNA_API_KEY_FILE'],
  },
  token: {
    kind: 'text',
    flag: '--token <token>',
    help: "a user's token; better by environment, file or prompt",
    env: ['ANTENNA_API_AUTH_TOKEN', 'AMI_ANTENNA_API_AUTH_TOKEN'],
    secret: true,
  },
  tokenFile: {
    kind: 'text',
    flag: '--token-file <path>',
    help: "file with a user's token, read again when it changes",
    env: ['ANTENNA_API_AUTH_TOKEN_FILE'],
  },
  email: {
    kind: 'text',
    flag: '--email <address>',
    help: 'log in as this user, with a password',
    env: ['ANTENNA_STAFF_EMAIL', 'ANTENNA_USER'],
  },
  password: {
    kind: 'text',
    flag: '--password <password>',
    help: 'password of --email; better by environment or prompt',
    env: ['ANTENNA_STAFF_PASSWORD', 'ANTENNA_PASSWORD'],
    secret: true,
  },
  serviceName: {
    kind: 'text',
    flag: '--service-name <name>',
    help: 'name of the processing service',
    env: ['ANTENNA_SERVICE_NAME', 'AMI_ANTENNA_SERVICE_NAME'],
  },
  dialect: {
    kind: 'text',
    flag: '--dialect <kind>',
    help: 'kind of server, api-key or token, where the credential does not tell',
    env: ['ANTENNA_DIALECT'],
  },
  proxy: {
    kind: 'text',
    flag: '--proxy <url>',
    help: 'HTTP proxy; by default HTTPS_PROXY, HTTP_PROXY and NO_PROXY',
    env: ['ANTENNA_PROXY'],
  },
  allowInsecureHttp: {
    kind: 'switch',
    flag: '--allow-insecure-http',
    help: 'send the credential over plain http to another machine',
    env: ['ANTENNA_ALLOW_INSECURE_HTTP'],
  },
  project: {
    kind: 'ids',
    flag: '--project <id>',
    help: 'id of a project; may be repeated',
    env: ['ANTENNA_PROJECTS', 'ANTENNA_PROJECT_ID'],
  },
  pipeline: {
    kind: 'list',
    flag: '--pipeline <slug>',
    help: 'slug of a pipeline; may be repeated',
    env: ['ANTENNA_PIPELINES', 'AMI_PIPELINES'],
  },
  module: {
    kind: 'text',
    flag: '--module <file>',
    help: 'file that exports pipelines of definePipeline',
    env: ['ANTENNA_MODULE'],
  },
  exec: {
    kind: 'text',
    flag: '--exec <command>',
    help: 'command that answers for images, such as "python3 detect.py"',
    env: ['ANTENNA_EXEC'],
  },
  attach: {
    kind: 'socket',
    flag: '--attach [socket]',
    help: 'wait for a handler that attaches, such as a notebook (default ./antenna-handler.sock; or tcp://127.0.0.1:PORT)',
    env: ['ANTENNA_ATTACH'],
  },
  service: {
    kind: 'text',
    flag: '--service <url>',
    help: 'processing service that speaks the push API, such as http://127.0.0.1:2000',
    env: ['ANTENNA_SERVICE_URL'],
  },
  start: {
    kind: 'text',
    flag: '--start <command>',
    help: 'command that starts that service, and is started again when it dies',
    env: ['ANTENNA_START'],
  },
  onnx: {
    kind: 'text',
    flag: '--onnx <directory>',
    help: 'folder with antenna.json and the ONNX models that it names',
    env: ['ANTENNA_ONNX'],
  },
  job: { kind: 'ids', flag: '--job <id>', help: 'do this job, then exit; may be repeated' },
  workers: {
    kind: 'workers',
    flag: '--workers <n>',
    help: 'processes, each with a spool of its own; auto: one for each GPU',
    env: ['ANTENNA_WORKERS'],
  },
  concurrency: {
    kind: 'count',
    flag: '--concurrency <n>',
    help: 'handler calls side by side',
    env: ['ANTENNA_CONCURRENCY'],
  },
  maxBatchSize: {
    kind: 'count',
    flag: '--max-batch-size <n>',
    help: 'tasks reserved at once at most',
    env: ['ANTENNA_MAX_BATCH_SIZE', 'AMI_ANTENNA_API_BATCH_SIZE'],
  },
  maxTime: {
    kind: 'duration',
    flag: '--max-time <time>',
    help: 'be gone after this, such as 11h55m',
    env: ['ANTENNA_MAX_TIME'],
  },
  exitWhenIdle: {
    kind: 'duration',
    flag: '--exit-when-idle <time>',
    help: 'exit when there was nothing to do for this long, such as 10m',
    env: ['ANTENNA_EXIT_WHEN_IDLE'],
  },
  until: {
    kind: 'text',
    flag: '--until <when>',
    help: 'drained: exit when no open job is left',
    env: ['ANTENNA_UNTIL'],
  },
  grace: {
    kind: 'duration',
    flag: '--grace <time>',
    help: 'from a signal to the end at most (default 25s)',
    env: ['ANTENNA_GRACE'],
  },
  spool: {
    kind: 'text',
    flag: '--spool <directory>',
    help: 'keep computed results on disk until the server has them',
    env: ['ANTENNA_SPOOL_DIRECTORY'],
  },
  failures: {
    kind: 'text',
    flag: '--failures <file>',
    help: 'a line of JSON for every image that failed or lapsed',
    env: ['ANTENNA_FAILURES'],
  },
  port: {
    kind: 'number',
    flag: '--port <port>',
    help: 'health port with the status page; 0 takes a free one',
    env: ['ANTENNA_HEALTH_PORT', 'HEALTH_PORT'],
  },
  host: {
    kind: 'text',
    flag: '--host <address>',
    help: 'where the port listens (default 127.0.0.1)',
    env: ['ANTENNA_HEALTH_HOST', 'HEALTH_HOST'],
  },
  view: {
    kind: 'switch',
    flag: '--view',
    help: 'show the last images with their boxes on the page; their URLs may be signed',
    env: ['ANTENNA_VIEW'],
  },
  logLevel: {
    kind: 'text',
    flag: '--log-level <level>',
    help: 'debug, info, warn, error or silent',
    env: ['ANTENNA_LOG_LEVEL'],
  },
} as const satisfies Readonly<Record<string, SettingSpec>>;

export type SettingName = keyof typeof SETTINGS;

/** What a kind is read as. */
interface KindTypes {
  readonly socket: string;
  readonly text: string;
  readonly count: number;
  readonly number: number;
  readonly ids: readonly number[];
  readonly list: readonly string[];
  readonly duration: number;
  readonly switch: boolean;
  readonly workers: number | 'auto';
}

/** The settings after all sources were read; what nobody set is missing. Durations are milliseconds. */
export type Settings = { readonly [Name in SettingName]?: KindTypes[(typeof SETTINGS)[Name]['kind']] };
