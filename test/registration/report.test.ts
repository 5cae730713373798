import { describe, expect, it } from 'vitest';
import { compareRegistration } from '../../src/registration/report.js';
import { config, detector, stored } from './samples.js';

const kinds = (...args: Parameters<typeof compareRegistration>): string[] =>
  compareRegistration(...args).deviations.map(({ kind }) => kind);

/** Each is a 201 that did not do what was asked (T44). */
describe('compareRegistration', () => {
  it('is content when everything is stored as sent', () => {
    expect(
      compareRegistration([config()], [stored(), stored({ id: 2, slug: 'other', name: 'Other' })]),
    ).toEqual({
      ok: true,
      pipelines: [stored()],
      deviations: [],
    });
  });

  it.each([
    ['slug_taken', config({ slug: 'moths-2' }), [stored()], false],
    ['not_listed', config({ slug: 'moths-2', name: 'Moths 2' }), [stored()], false],
    ['not_listed', config(), [], false],
    ['disabled', config(), [stored({ project_pipeline_configs: [{ enabled: false }] })], false],
    ['algorithm_missing', config(), [stored({ algorithms: stored().algorithms.slice(0, 1) })], false],
    ['name_ignored', config({ name: 'New name' }), [stored()], true],
    ['description_ignored', config({ description: 'new' }), [stored({ description: 'old' })], true],
    ['stages_ignored', config({ stages: [{ key: 's', name: 'S' }] }), [stored()], true],
    ['algorithm_extra', config({ algorithms: [detector] }), [stored()], true],
    [
      'algorithm_name_ignored',
      config({ algorithms: [{ ...detector, name: 'New' }, ...config().algorithms.slice(1)] }),
      [stored()],
      true,
    ],
  ] as const)('reports %s', (kind, sent, found, ok) => {
    const report = compareRegistration([sent], found);
    expect(report.deviations.map((deviation) => deviation.kind)).toEqual([kind]);
    expect(report.deviations[0]?.pipeline).toBe(sent.slug);
    expect(report.deviations[0]?.message).toMatch(/\w{3}/);
    expect(report.ok).toBe(ok);
  });

  it('names the slug to use when the name is taken', () => {
    const [deviation] = compareRegistration([config({ slug: 'mine' })], [stored()]).deviations;
    expect(deviation?.message).toContain('"moths"');
  });

  it('sees an old detector beside the new one, with which no result can be saved (T48)', () => {
    const old = { key: 'old-box', name: 'Old', task_type: 'localization' };
    const report = compareRegistration([config()], [stored({ algorithms: [...stored().algorithms, old] })]);
    expect(report.deviations.map(({ kind }) => kind)).toEqual(['algorithm_extra', 'several_detectors']);
    expect(report.ok).toBe(false);
  });

  it('does not take a sister of the same name, registered with it, for the thief of its slug', () => {
    const sisters = [config(), config({ slug: 'moths-v2', version: 2 })];
    expect(kinds(sisters, [stored()])).toEqual(['not_listed']);
  });

  it('compares descriptions only when one was sent, and takes none for empty', () => {
    expect(kinds([config()], [stored({ description: 'kept' })])).toEqual([]);
    expect(kinds([config({ description: null })], [stored({ description: '' })])).toEqual([]);
  });
});
