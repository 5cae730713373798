import { describe, expect, it } from 'vitest';
import { countsOf, groupsOf, isAllowed, problemsOf } from '../../scripts/check-licences.js';
import { readHere } from '../../scripts/manifest.js';

describe('a licence', () => {
  it.each(['MIT', 'ISC', '(MIT OR GPL-3.0-only)', 'MIT AND Apache-2.0', 'BlueOak-1.0.0'])(
    '%s may be shipped',
    (text) => {
      expect(isAllowed(text)).toBe(true);
    },
  );

  it.each([
    undefined,
    '',
    'GPL-3.0-only',
    'MIT AND LGPL-3.0-or-later',
    'SEE LICENSE IN x',
    'MIT OR GPL-2.0 AND ISC',
  ])('%s is for a person to read', (text) => {
    expect(isAllowed(text)).toBe(false);
  });
});

describe('the packages of a lock file', () => {
  const lock = {
    '': {
      dependencies: { a: '^1.0.0' },
      devDependencies: { c: '^1.0.0' },
      peerDependencies: { p: '^1.0.0' },
    },
    'node_modules/a': { license: 'MIT', dependencies: { b: '^2.0.0', '@s/d': '^1.0.0' } },
    'node_modules/a/node_modules/b': { license: 'GPL-3.0-only' },
    'node_modules/@s/d': { license: 'ISC', dependencies: { a: '^1.0.0' } },
    'node_modules/b': { license: 'MPL-2.0' },
    'node_modules/c': { dependencies: { b: '^1.0.0' } },
    'node_modules/p': { license: 'Apache-2.0', optionalDependencies: { q: '1.0.0', absent: '1.0.0' } },
    'node_modules/q': { license: 'LGPL-3.0-or-later' },
  };

  it('are told apart by who installs them', () => {
    expect(groupsOf(lock)).toEqual({
      runtime: ['node_modules/a', 'node_modules/a/node_modules/b', 'node_modules/@s/d'],
      peers: ['node_modules/p', 'node_modules/q'],
      development: ['node_modules/b', 'node_modules/c'],
    });
  });

  it('fail the check where every user would get one that asks for more, and only there', () => {
    expect(problemsOf(lock)).toEqual([
      expect.stringMatching(/^node_modules\/a\/node_modules\/b: GPL-3\.0-only\..*replace it, or read/),
    ]);
  });

  it('are counted by licence', () => {
    expect(countsOf(lock, ['node_modules/q', 'node_modules/c', 'node_modules/a', 'node_modules/a'])).toBe(
      'MIT 2, LGPL-3.0-or-later 1, none given 1',
    );
  });

  it('of this repository pass, and are not passed by finding none', () => {
    const { packages } = JSON.parse(readHere('package-lock.json')) as { packages: typeof lock };
    expect(groupsOf(packages).runtime.length).toBeGreaterThan(12);
    expect(groupsOf(packages).peers).toContain('node_modules/sharp');
    expect(problemsOf(packages)).toEqual([]);
  });
});
