import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildClientInfo, hostFacts, type HostFacts } from '../../src/client/info.js';
import { VERSION } from '../../src/version.js';

const host: HostFacts = { hostname: 'field-box', platform: 'linux-x64 node-20', env: {} };
const KNOWN = ['hostname', 'software', 'version', 'platform', 'pod_name'];

describe('buildClientInfo', () => {
  it('tells host, software, version and platform', () => {
    expect(buildClientInfo({}, host)).toEqual({
      info: {
        hostname: 'field-box',
        software: 'antenna-sdk',
        version: VERSION,
        platform: 'linux-x64 node-20',
      },
      cut: [],
    });
    expect(hostFacts().platform).toContain(process.versions.node);
  });

  it.each([
    [{}, undefined],
    [{ POD_NAME: 'worker-7f' }, 'worker-7f'],
    [{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, 'field-box'],
    [{ KUBERNETES_SERVICE_HOST: '10.0.0.1', POD_NAME: 'worker-7f' }, 'worker-7f'],
    [{ KUBERNETES_SERVICE_HOST: '10.0.0.1', POD_NAME: '' }, 'field-box'],
  ])('in the environment %o names the pod %j', (env, podName) => {
    expect(buildClientInfo({}, { ...host, env }).info['pod_name']).toBe(podName);
  });

  it('lets the caller say it better', () => {
    const { info, cut } = buildClientInfo({ software: 'moth-worker', version: 3, gpu: 'none' }, host);
    expect(info).toMatchObject({ software: 'moth-worker', version: '3', gpu: 'none', hostname: 'field-box' });
    expect(cut).toEqual([]);
  });

  it('keeps twenty extra fields, and names each one more', () => {
    const extras = Object.fromEntries(Array.from({ length: 22 }, (_, index) => [`field${index}`, index]));
    const { info, cut } = buildClientInfo(extras, host);
    expect(Object.keys(info)).toHaveLength(4 + 20);
    expect(cut).toEqual([
      'field20 is over the limit of 20 extra fields and was left out',
      'field21 is over the limit of 20 extra fields and was left out',
    ]);
  });

  it.each([
    ['null', null, 'is null'],
    ['a function', () => 'secret', 'cannot be written as JSON'],
    ['a symbol', Symbol('s'), 'cannot be written as JSON'],
    ['a big integer', 5n, 'cannot be written as JSON'],
    ['NaN, which JSON writes as null', Number.NaN, 'cannot be written as JSON'],
  ])('leaves out %s, which would cost the whole request a 400 or an exception', (_, value, why) => {
    for (const name of ['note', 'hostname']) {
      const { info, cut } = buildClientInfo({ [name]: value }, host);
      expect(info[name]).toBe(name === 'hostname' ? 'field-box' : undefined);
      expect(cut.join()).toContain(`${name} ${why}`);
    }
  });

  it('leaves out what contains itself', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(buildClientInfo({ circle }, host).cut).toHaveLength(1);
  });

  it.each(['ip', 'user_agent'])('leaves out %s, which the server writes itself', (name) => {
    const { info, cut } = buildClientInfo({ [name]: 'mine' }, host);
    expect(info).not.toHaveProperty(name);
    expect(cut).toHaveLength(1);
  });

  it('never cuts a character in two: half of one is refused by the database', () => {
    const { info } = buildClientInfo({ note: `${'x'.repeat(499)}🦋🦋` }, host);
    expect(info['note']).toBe('x'.repeat(499));
  });

  it('stays within the limits of the server, whatever the caller gives', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withDate: true })), (extras) => {
        const { info } = buildClientInfo(extras, host);
        const sent = JSON.parse(JSON.stringify(info)) as Record<string, unknown>;
        const extraKeys = Object.keys(sent).filter((key) => !KNOWN.includes(key));
        return (
          extraKeys.length <= 20 &&
          Object.values(sent).every((value) => value !== null) &&
          Object.values(sent).every((value) => typeof value !== 'string' || value.length <= 500) &&
          KNOWN.every((key) => sent[key] === undefined || typeof sent[key] === 'string')
        );
      }),
    );
  });
});
