import type { CommandRow } from './command-row.js';

/** Commands that need no server. */
export const LOCAL_COMMANDS: readonly CommandRow[] = [
  {
    name: 'init',
    summary: 'Write a worker to start from, with its test, a Dockerfile and units',
    args: '[folder]',
    settings: [],
    own: [
      {
        flag: '--kind <kind>',
        help: 'typescript, python, service (push API) or onnx; asked for on a terminal',
      },
      { flag: '--slug <slug>', help: 'slug of its pipeline (default: after the folder)' },
      { flag: '--force', help: 'overwrite files that are there' },
    ],
    examples: [
      ['antenna init my-worker', 'asks what the model is'],
      ['antenna init my-worker --kind python --slug my-moths', 'asks nothing'],
    ],
    load: () => import('./commands/init.js'),
  },
  {
    name: 'predict',
    summary: 'Run pipelines on images of this machine, without a server',
    args: '<images...>',
    settings: ['module', 'exec', 'service', 'start', 'onnx', 'pipeline', 'concurrency', 'logLevel'],
    own: [{ flag: '--out <directory>', help: 'pictures with boxes, a page of them, and predictions.jsonl' }],
    examples: [
      ['antenna predict ./photos --module ./worker.mjs > found.jsonl', 'a line of JSON for each image'],
      ['antenna predict a.jpg b.jpg --onnx ./models --out ./found', 'then open ./found/index.html'],
    ],
    load: () => import('./commands/predict.js'),
  },
  {
    name: 'serve',
    summary: 'Serve an Antenna in memory with images, to try and test workers against',
    settings: ['dialect', 'host'],
    own: [
      { flag: '--port <port>', help: 'where to listen (default 8000; 0 takes a free one)' },
      { flag: '--images <directory>', help: 'photographs to serve (default: generated ones)' },
      { flag: '--count <n>', help: 'how many to generate (default 20)' },
      { flag: '--seed <file>', help: 'JSON file with projects, services, keys, pipelines and jobs' },
    ],
    examples: [
      ['antenna serve', 'prints the lines to type next; a job starts when a worker registers a pipeline'],
      ['antenna serve --images ./photos', 'with your own photographs'],
    ],
    load: () => import('./commands/serve.js'),
  },
  {
    name: 'python-helper',
    summary: 'Print antenna_handler.py, the one file that a model in Python needs beside it',
    settings: [],
    examples: [
      ['antenna python-helper > antenna_handler.py', 'then: from antenna_handler import pipeline, run'],
    ],
    load: () => import('./commands/python-helper.js'),
  },
];
