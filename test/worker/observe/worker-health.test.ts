import type { AntennaWorker } from 'antenna-sdk';
import { type HealthReport } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { createRig, drive, driveUntil, stopDriven } from '../reliability/rig.js';

const detailOf = (report: HealthReport, name: string): string =>
  report.checks.find((check) => check.name === name)?.detail ?? '';

async function endOf(rig: ReturnType<typeof createRig>, worker: AntennaWorker, running: Promise<unknown>) {
  await stopDriven(rig, worker, running, { graceMs: 0 });
}

describe('the health of a worker', () => {
  it.each([
    [
      'HTML in place of the list',
      { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
      'text/html',
    ],
    ['a list without its results', { status: 200, body: { count: 0, next: null } }, 'results'],
    ['a 401', { status: 401, body: { detail: 'Invalid token.' } }, '401'],
    ['a 403', { status: 403, body: { detail: 'no' } }, '403'],
  ])('is degraded within seconds of listing being answered with %s, and says so', async (_, answer, word) => {
    const rig = createRig();
    rig.job(5);
    const worker = rig.worker();
    const fault = rig.server.faults.answer(answer, { route: 'jobs.list' });
    const running = worker.run({ handleSignals: false });
    await rig.clock.advance(20_000);
    const report = worker.health();
    expect(report).toMatchObject({ status: 'degraded', live: true, ready: false });
    expect(detailOf(report, 'server')).toContain('listing');
    expect(detailOf(report, 'server')).toContain(word);
    fault.remove();
    await driveUntil(rig.clock, () => worker.health().status === 'ok', 60_000);
    await endOf(rig, worker, running);
  });

  it.each([
    ['a 401', { status: 401, body: { detail: 'Invalid token.' } }, /reserving .*401/],
    [
      'a 403 for every job',
      { status: 403, body: { detail: 'no' } },
      /all 2 open jobs refuse this credential.*403/,
    ],
    ['no tasks at all', { status: 200, body: {} }, /reserving .*tasks/],
  ])(
    'is degraded within seconds of reserving being answered with %s, and says so',
    async (_, answer, words) => {
      const rig = createRig();
      rig.job(5);
      rig.job(5);
      const worker = rig.worker();
      rig.server.faults.answer(answer, { route: 'tasks' });
      const running = worker.run({ handleSignals: false });
      await rig.clock.advance(30_000);
      const report = worker.health();
      expect(report).toMatchObject({ status: 'degraded', live: true, ready: false });
      expect(detailOf(report, 'server')).toMatch(words);
      await endOf(rig, worker, running);
    },
  );

  it('says of a server that was never reached that it was not', async () => {
    const rig = createRig();
    const worker = rig.worker();
    rig.server.faults.outage();
    const running = worker.run({ handleSignals: false });
    await rig.clock.advance(20_000);
    const report = worker.health();
    expect(report).toMatchObject({ status: 'degraded', live: true, ready: false });
    expect(detailOf(report, 'contact')).toMatch(/has not answered since the start 20\.0 s ago; listing: /);
    await endOf(rig, worker, running);
  });

  it('says so too while it waits with the registration', async () => {
    const rig = createRig();
    const worker = rig.worker({ register: true });
    rig.server.faults.outage();
    const running = worker.run({ handleSignals: false });
    await rig.clock.advance(20_000);
    expect(detailOf(worker.health(), 'contact')).toMatch(/since the start .*; registering: /);
    expect(worker.health()).toMatchObject({ state: 'starting', status: 'degraded', ready: false });
    await endOf(rig, worker, running);
  });

  it('of a run that failed is neither ok nor live, with the reason and without what a stranger’s error says', async () => {
    const rig = createRig();
    rig.server.faults.answer({ status: 400, body: { pipelines: ['bad'] } }, { route: 'register' });
    const refused = rig.worker({ register: true });
    await expect(drive(rig.clock, refused.run({ handleSignals: false }))).rejects.toThrow();
    expect(refused.health()).toMatchObject({ state: 'failed', status: 'stuck', live: false, ready: false });
    expect(detailOf(refused.health(), 'run')).toContain('400');
    const hush = (): never => {
      throw new Error('hush');
    };
    for (const definition of [{ warmUp: hush }, { executor: hush }]) {
      const broken = rig.worker({ definition });
      await expect(drive(rig.clock, broken.run({ handleSignals: false }))).rejects.toThrow('hush');
      expect(broken.health()).toMatchObject({ state: 'failed', status: 'stuck', live: false });
      expect(JSON.stringify(broken.health())).not.toContain('hush');
    }
  });
});
