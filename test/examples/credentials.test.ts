import { describe, expect, it } from 'vitest';
import { run as customProvider } from '../../examples/custom-provider/main.js';
import { run as kubernetesSecret } from '../../examples/kubernetes-secret/main.js';
import { run as provisioning } from '../../examples/provision/main.js';
import { run as serviceAccount } from '../../examples/service-account/main.js';

const quiet = (): void => undefined;
const done = { jobStatus: 'SUCCESS', processed: 40, failed: 0 };

describe('the credential examples, run offline', () => {
  it('service-account: renews tokens of a real OAuth server beside the work, and every image is done', async () => {
    const report = await serviceAccount(quiet);
    expect(report).toMatchObject(done);
    expect(report.issued).toBeGreaterThan(1);
    expect(report.issued).toBeLessThan(report.passed);
  });

  it('kubernetes-secret: survives a rotation by symlink swap in the middle of a job', async () => {
    expect(await kubernetesSecret(quiet)).toMatchObject(done);
  });

  it('custom-provider: asks the token service twice: at the start, and past its cache after the 401', async () => {
    const report = await customProvider(quiet);
    expect(report).toMatchObject(done);
    expect(report.asked).toBe(2);
    expect(report.requests).toBeGreaterThan(20);
  });

  it('provision: makes one service, and a worker on its key file outlives a rotation in the middle of a job', async () => {
    const printed: string[] = [];
    const report = await provisioning((line) => void printed.push(line));
    expect(report).toMatchObject({ ...done, services: 1 });
    expect(new Set(report.keys).size).toBe(2);
    expect(report.summary).toContain('is accepted by this api-key server');
    for (const prefix of report.keys) expect(printed.join('\n')).toContain(prefix);
    expect(printed.join('\n')).not.toMatch(/\w{8}\.\w{32}/);
  });
});
