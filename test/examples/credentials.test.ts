import { describe, expect, it } from 'vitest';
import { run as customProvider } from '../../examples/custom-provider/main.js';
import { run as kubernetesSecret } from '../../examples/kubernetes-secret/main.js';
import { run as provisioning } from '../../examples/provision/main.js';
import { run as serviceAccount } from '../../examples/service-account/main.js';
import type { Print } from '../../examples/local-antenna/work.js';
import { expectShown } from './shown.js';

const done = { jobStatus: 'SUCCESS', processed: 40, failed: 0 };

/** Runs an example. @returns what it came to, and what it printed. */
async function printedBy<Report>(
  run: (print: Print) => Promise<Report>,
): Promise<{ readonly report: Report; readonly printed: string }> {
  const lines: string[] = [];
  const report = await run((line) => void lines.push(line));
  return { report, printed: lines.join('\n') };
}

describe('the credential examples, run offline', () => {
  it('service-account: renews tokens of a real OAuth server beside the work, and every image is done', async () => {
    const { report, printed } = await printedBy(serviceAccount);
    expect(report).toMatchObject(done);
    expect(report.issued).toBeGreaterThan(1);
    expect(report.issued).toBeLessThan(report.passed);
    expectShown('service-account', printed);
  });

  it('kubernetes-secret: survives a rotation by symlink swap in the middle of a job', async () => {
    const { report, printed } = await printedBy(kubernetesSecret);
    expect(report).toMatchObject(done);
    expectShown('kubernetes-secret', printed);
  });

  it('custom-provider: asks the token service twice: at the start, and past its cache after the 401', async () => {
    const { report, printed } = await printedBy(customProvider);
    expect(report).toMatchObject(done);
    expect(report.asked).toBe(2);
    expect(report.requests).toBeGreaterThan(20);
    expectShown('custom-provider', printed);
  });

  it('provision: makes one service, and a worker on its key file outlives a rotation in the middle of a job', async () => {
    const { report, printed } = await printedBy(provisioning);
    expect(report).toMatchObject({ ...done, services: 1 });
    expect(new Set(report.keys).size).toBe(2);
    expect(report.summary).toContain('is accepted by this api-key server');
    for (const prefix of report.keys) expect(printed).toContain(prefix);
    expect(printed).not.toMatch(/\w{8}\.\w{32}/);
    expectShown('provision', printed);
  });
});
