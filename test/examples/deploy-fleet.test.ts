import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProgram, normaliseArgs, type Invocation } from '../../src/cli/program.js';
import { SETTINGS, type SettingSpec } from '../../src/cli/settings.js';
import { WorkerMetrics } from '../../src/worker/observe/metrics.js';
import { loadPrometheus } from '../../src/worker/observe/prometheus.js';
import { has, install, startSite, writeModule, type Installed } from '../cli/harness.js';
import { gaugesOf } from '../worker/observe/support.js';

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const read = (name: string): string => readFileSync(path(name), 'utf8');
const SLURM = 'examples/deploy/slurm/antenna-worker.sbatch';
const SYSTEMD = 'examples/deploy/systemd/antenna-worker.service';
const SUPERVISORD = 'examples/deploy/supervisord/antenna-worker.conf';
const ALERTS = 'examples/deploy/monitoring/alerts.yaml';
const DASHBOARD = 'examples/deploy/monitoring/grafana-dashboard.json';

/** Everything that a fleet tells Prometheus: names, and the labels of each. */
async function ourMetrics(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const metrics = new WorkerMetrics();
  metrics.delivery(1);
  const snapshot = metrics.snapshot({
    gauges: () =>
      gaugesOf({
        hold: { target: 16, bound: 'need' },
        saving: { '42': { pipeline: 'moths', perSecond: 3, outstanding: 1, limit: 2 } },
        estimates: {
          moths: { batchLimit: 8, taskMeanMs: 150, taskSdMs: 1, downloadP95Ms: 1, reserveP95Ms: 1 },
        },
        spool: { files: 2, bytes: 99 },
        executors: {
          moths: { busy: 1, crashes: 0, consecutiveCrashes: 0, timeouts: 0, replaced: 0 } as never,
        },
      }),
  });
  const renderer = await loadPrometheus(true);
  const text = (await renderer?.render([{ labels: { worker: 'worker-0' }, snapshot }])) ?? '';
  const found = new Map<string, Set<string>>();
  for (const [, name = ''] of text.matchAll(/^# HELP (\S+)/gm)) found.set(name, new Set());
  for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? /gm))
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) found.get(name)?.add(label);
  return found;
}

/** Of the scrape; and Prometheus renames labels of ours that clash with those. */
const OF_PROMETHEUS = ['instance', 'exported_job'];

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly gridPos: { readonly x: number; readonly w: number };
    readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
}
const dashboard = (): Dashboard => JSON.parse(read(DASHBOARD)) as Dashboard;
const rules = (): string[] =>
  [...read(ALERTS).matchAll(/expr: (?:>-\n((?: {10}.*\n)+)|(.*)\n)/g)].map(
    ([, folded, line]) => folded ?? line ?? '',
  );

describe('dashboard and alert rules', () => {
  const expressions = (): string[] => [
    ...rules(),
    ...dashboard().panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ];

  it('name only metrics that a worker has', async () => {
    const ours = await ourMetrics();
    const named = expressions().flatMap(
      (text) => text.match(/\b(?:antenna_worker|process|nodejs)_\w+/g) ?? [],
    );
    expect(new Set(named).size).toBeGreaterThan(20);
    for (const name of named) expect([...ours.keys()], name).toContain(name);
  });

  it('select and group by labels that those metrics have', async () => {
    const ours = await ourMetrics();
    for (const text of expressions()) {
      const metrics = text.match(/\bantenna_worker_\w+/g) ?? [];
      if (metrics.length === 0) continue;
      const known = new Set([...OF_PROMETHEUS, ...metrics.flatMap((name) => [...(ours.get(name) ?? [])])]);
      const labels = [
        ...[...text.matchAll(/[{,](\w+)(?:=~|!=|=)"/g)].map(([, label]) => label),
        ...[...text.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', ')),
      ];
      for (const label of labels) expect([...known], `${label ?? ''} in ${text}`).toContain(label);
    }
  });

  it('have a rule for everything that the documentation calls worth an alert', () => {
    const table =
      /\| alert \| expression \| then \|\n[\s\S]*?\n\n/.exec(read('docs/observability.md'))?.[0] ?? '';
    const named = new Set(table.match(/antenna_worker_\w+/g));
    expect(named.size).toBeGreaterThan(6);
    for (const name of named) expect(rules().join('\n')).toContain(name);
  });

  it('is a dashboard whose panels fit and each say what they show', () => {
    const { panels } = dashboard();
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });

  it('are rules that Prometheus takes', async ({ skip }) => {
    if (!(await has('promtool'))) skip();
    expect(execFileSync('promtool', ['check', 'rules', path(ALERTS)], { encoding: 'utf8' })).toContain(
      'SUCCESS',
    );
  });
});

describe('units and scripts', () => {
  it.each([SLURM, SYSTEMD, SUPERVISORD])(
    '%s runs a command that there is, with flags that there are',
    (file) => {
      const [line = ''] = /antenna run --[^\n]*/.exec(read(file)) ?? [];
      let invocation: Invocation | undefined;
      createProgram((found) => (invocation = found)).parse(normaliseArgs(line.split(' ').slice(1)), {
        from: 'user',
      });
      expect(invocation?.row.name).toBe('run');
    },
  );

  it.each([SLURM, SYSTEMD, SUPERVISORD, 'examples/deploy/systemd/antenna-worker.env'])(
    '%s sets only variables that are read',
    (file) => {
      const known = new Set(Object.values(SETTINGS).flatMap((spec: SettingSpec) => spec.env ?? []));
      const named = read(file).match(/\bANTENNA_[A-Z_]+/g) ?? [];
      expect(named.length).toBeGreaterThan(0);
      for (const name of named) expect([...known]).toContain(name);
    },
  );

  it('give the worker longer to end than its grace of 25 s', () => {
    expect(Number(/TimeoutStopSec=(\d+)/.exec(read(SYSTEMD))?.[1])).toBeGreaterThan(25);
    expect(Number(/stopwaitsecs=(\d+)/.exec(read(SUPERVISORD))?.[1])).toBeGreaterThan(25);
    // Kill a worker’s processes only after the first one was asked to end them.
    expect(read(SYSTEMD)).toContain('KillMode=mixed');
    expect(read(SUPERVISORD)).toMatch(/stopasgroup=false\nkillasgroup=true/);
  });

  it('do not start a worker again whose settings or key are wrong', () => {
    expect(read(SYSTEMD)).toContain('RestartPreventExitStatus=2 4');
    expect(read(SUPERVISORD)).toMatch(/autorestart=unexpected\nexitcodes=0,2,4/);
  });

  it('are a unit that systemd takes', async ({ skip }) => {
    if (!(await has('systemd-analyze'))) skip();
    const output = execFileSync('systemd-analyze', ['verify', path(SYSTEMD)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(output).not.toMatch(/Unknown|ignoring/i);
  });
});

describe('the SLURM script', () => {
  let cli: Installed;
  beforeAll(async () => {
    cli = await install();
  }, 60_000);
  afterAll(() => {
    cli.remove();
  });

  it('works in a task of an array with a spool of its own, stops in time, and shows no key', async () => {
    const site = await startSite(5);
    const cwd = cli.work();
    const bin = join(cwd, 'bin');
    mkdirSync(bin);
    const script = (name: string, text: string): void => {
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(bin, name), 0o755);
    };
    script('srun', 'shift; exec "$@"');
    script(
      'antenna',
      `exec ${process.execPath} ${join(cli.folder, 'node_modules/antenna-sdk/dist/cli.js')} "$@"`,
    );
    writeModule(cwd);
    writeFileSync(join(cwd, 'key'), site.key, { mode: 0o600 });
    const child = spawn('bash', [path(SLURM)], {
      cwd,
      env: {
        ...{ PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: cwd, SCRATCH: cwd, SLURM_ARRAY_TASK_ID: '3' },
        ...{ ANTENNA_API_URL: site.url, ANTENNA_API_KEY_FILE: join(cwd, 'key'), ANTENNA_PROJECTS: '1' },
        ...{ ANTENNA_MODULE: join(cwd, 'spots.mjs'), ANTENNA_EXIT_WHEN_IDLE: '500ms' },
      },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code, output).toBe(0);
    expect(JSON.parse(output.trim().split('\n').at(-1) ?? '')).toMatchObject({ ok: true, posted: 5 });
    expect(existsSync(join(cwd, 'antenna-spool/task-3'))).toBe(true);
    expect(output).not.toContain(site.key.slice(9, 21));
    expect(output).not.toContain('warning');
    await site.close();
  }, 60_000);

  it('asks for less time than SLURM gives, by more than the grace', () => {
    const [, hours = '0', minutes = '0'] = /#SBATCH --time=(\d+):(\d+)/.exec(read(SLURM)) ?? [];
    const [, ownHours = '0', ownMinutes = '0'] = /ANTENNA_MAX_TIME:-(\d+)h(\d+)m/.exec(read(SLURM)) ?? [];
    const left = Number(hours) * 60 + Number(minutes) - (Number(ownHours) * 60 + Number(ownMinutes));
    expect(left).toBeGreaterThanOrEqual(1);
  });
});
