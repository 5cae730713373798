import type { CommandRow } from './command-row.js';
import { LOCAL_COMMANDS } from './local-commands.js';

export type { CommandRow } from './command-row.js';

const SERVER = [
  'url',
  'apiKey',
  'apiKeyFile',
  'token',
  'tokenFile',
  'dialect',
  'proxy',
  'allowInsecureHttp',
] as const;
const STAFF = [
  'url',
  'token',
  'tokenFile',
  'email',
  'password',
  'dialect',
  'proxy',
  'allowInsecureHttp',
] as const;
const PIPELINES = ['module', 'exec', 'attach', 'service', 'start', 'onnx', 'pipeline'] as const;

export const COMMANDS: readonly CommandRow[] = [
  {
    name: 'run',
    summary: 'Work: take tasks, run the pipelines, post the results, until told to stop',
    settings: [
      ...SERVER,
      ...([
        'serviceName',
        'project',
        ...PIPELINES,
        'job',
        'workers',
        'concurrency',
        'maxBatchSize',
        'spool',
        'failures',
      ] as const),
      ...(['maxTime', 'exitWhenIdle', 'until', 'grace', 'port', 'host', 'view', 'logLevel'] as const),
    ],
    examples: [
      ['antenna run --module ./worker.mjs --project 1', 'until SIGTERM or Ctrl-C; twice ends at once'],
      ['antenna run --exec "python3 detect.py" --project 1', 'a model in Python, with antenna_handler.py'],
      ['antenna run --onnx ./models --project 1', 'ONNX models, described in ./models/antenna.json'],
      ['antenna run --service http://127.0.0.1:2000 --project 1', 'a service that speaks the push API'],
      [
        'antenna run --module ./worker.mjs --workers auto --spool /var/lib/antenna --port 8080',
        'one process for each GPU, with a page to look at',
      ],
      ['antenna run --module ./worker.mjs --job 42', 'do one job and exit'],
      ['antenna run --module ./worker.mjs --max-time 11h55m --exit-when-idle 10m', 'in a batch system'],
    ],
    load: () => import('./commands/run.js'),
  },
  {
    name: 'doctor',
    summary: 'Check that this machine can work for a server, and say how to mend what it cannot',
    settings: [...SERVER, 'serviceName', 'project', ...PIPELINES, 'spool'],
    own: [
      {
        flag: '--take-task',
        help: 'take one task of an open job to see whether its image can be downloaded; this uses up one of its deliveries',
      },
    ],
    examples: [
      ['antenna doctor', 'look at everything that needs no pipeline'],
      ['antenna doctor --module ./worker.mjs --spool ./spool', 'before the first antenna run'],
    ],
    load: () => import('./commands/doctor.js'),
  },
  {
    name: 'provision',
    summary: 'Make a service and its key, and register pipelines (needs a staff user)',
    settings: [...STAFF, 'project', 'serviceName', ...PIPELINES],
    own: [
      { flag: '--key-file <path>', help: 'where the key goes, mode 0600 (default ./antenna-api-key)' },
      { flag: '--rotate', help: 'make a new key although there is one; ends the old one at once' },
    ],
    examples: [
      [
        'antenna provision --project 1 --service-name moth-worker',
        'asks for the user and writes ./antenna-api-key',
      ],
      [
        'antenna provision --project 1 --service-name moths --module ./worker.mjs',
        'and registers its pipelines',
      ],
    ],
    load: () => import('./commands/provision.js'),
  },
  {
    name: 'register',
    summary: 'Register pipelines with projects; changes nothing that is as asked',
    args: '[name]',
    settings: [...SERVER, 'serviceName', 'project', ...PIPELINES],
    examples: [
      ['antenna register --module ./worker.mjs', 'with every project in which the credential may'],
      ['antenna register --module ./worker.mjs --project 1 --project 7', 'with these alone'],
    ],
    load: () => import('./commands/register.js'),
  },
  {
    name: 'keys rotate',
    summary: 'Make a new key for a service and end the old one',
    settings: [...STAFF, 'project', 'serviceName'],
    own: [
      { flag: '--key-file <path>', help: 'where the new key goes, mode 0600 (default ./antenna-api-key)' },
    ],
    examples: [
      [
        'antenna keys rotate --project 1 --service-name moth-worker --key-file /etc/antenna/api-key',
        'workers with --api-key-file go on',
      ],
    ],
    load: () => import('./commands/keys-rotate.js'),
  },
  {
    name: 'keys check',
    summary: 'Say what a credential is good for',
    settings: [...SERVER, 'project'],
    examples: [
      [
        'antenna keys check --api-key-file ./antenna-api-key',
        'whether the server knows it, and where it gets tasks',
      ],
    ],
    load: () => import('./commands/keys-check.js'),
  },
  {
    name: 'jobs',
    summary: 'List jobs with their progress',
    settings: [...SERVER, 'project', 'pipeline'],
    own: [
      { flag: '--all', help: 'those that are over too' },
      { flag: '--limit <n>', help: 'how many at most (default 20)' },
    ],
    examples: [
      ['antenna jobs', 'open jobs of all projects that the credential sees'],
      ['antenna jobs --pipeline moth-finder --json', 'for a script'],
    ],
    load: () => import('./commands/jobs.js'),
  },
  {
    name: 'job',
    summary: 'Show one job: its stages, rate and time left',
    args: '<id>',
    settings: SERVER,
    own: [
      { flag: '--watch', help: 'until it is over' },
      { flag: '--every <time>', help: 'between two looks with --watch (default 5s)' },
    ],
    examples: [['antenna job 42 --watch', 'follow it to its end; exit 1 if it fails']],
    load: () => import('./commands/job.js'),
  },
  {
    name: 'top',
    summary: 'Watch a worker or a fleet that runs elsewhere, by its health port',
    args: '[url]',
    settings: [],
    own: [
      { flag: '--every <time>', help: 'between two looks (default 2s)' },
      { flag: '--once', help: 'one look and no more' },
    ],
    examples: [
      ['antenna top', 'the worker of antenna run --port 8080 on this machine'],
      ['antenna top http://10.0.0.7:8080', 'one elsewhere; its --host must let this machine in'],
      ['antenna top http://10.0.0.7:8080 --json', 'a line of JSON for each look'],
    ],
    load: () => import('./commands/top.js'),
  },
  {
    name: 'bench',
    summary: 'Measure how fast the images of a job come, without a model',
    settings: [...SERVER, 'maxBatchSize', 'maxTime'],
    own: [
      { flag: '--job <id>', help: 'the job whose tasks are taken' },
      { flag: '--tasks <n>', help: 'images at most (default 200)' },
      { flag: '--downloads <n>', help: 'downloads side by side (default 16)' },
      {
        flag: '--ack',
        help: 'answer every task, which uses the job up: each image is saved as one without insects',
      },
    ],
    examples: [
      ['antenna bench --job 42', 'up to 200 images or 2 min; the tasks come back after their lease'],
      ['antenna bench --job 42 --tasks 2000 --max-time 10m --ack --json', 'with posts, on a job made for it'],
    ],
    load: () => import('./commands/bench.js'),
  },
  ...LOCAL_COMMANDS,
  {
    name: 'completion',
    summary: 'Print the completion script of a shell: bash, zsh or fish',
    args: '<shell>',
    settings: [],
    examples: [
      ['source <(antenna completion bash)', 'in ~/.bashrc'],
      ['antenna completion fish > ~/.config/fish/completions/antenna.fish', 'for fish'],
    ],
    load: () => import('./commands/completion.js'),
  },
];
