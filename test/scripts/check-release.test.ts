import { describe, expect, it } from 'vitest';
import { problemsOf, type Release } from '../../scripts/check-release.js';

const manifest = {
  name: 'antenna-sdk',
  version: '1.2.3',
  repository: { type: 'git', url: 'git+https://git.example/moths/antenna-sdk.git' },
  homepage: 'https://moths.example/antenna-sdk/',
  bugs: 'https://git.example/moths/antenna-sdk/issues',
};
const ready: Release = {
  manifest,
  changelog: '# Changelog\n\n## [1.2.3]\n\n- A thing.\n\n## [1.2.2]\n\n- An older thing.\n',
  versions: { 'src/version.ts': '1.2.3' },
};
const problems = (change: Partial<Release>): string[] => problemsOf({ ...ready, ...change });

describe('a release', () => {
  it('goes out when everything agrees', () => {
    expect(problems({ tag: 'v1.2.3', runsIn: 'https://git.example/moths/antenna-sdk' })).toEqual([]);
  });

  it.each(['repository', 'homepage', 'bugs'])('is refused while the owner has not filled "%s"', (field) => {
    for (const empty of [undefined, ''])
      expect(problems({ manifest: { ...manifest, [field]: empty } })).toEqual([
        expect.stringMatching(new RegExp(`no "${field}".*CONTRIBUTING`)),
      ]);
  });

  it('takes bugs by address or by mail', () => {
    expect(problems({ manifest: { ...manifest, bugs: { email: 'moths@moths.example' } } })).toEqual([]);
  });

  it('is refused when the changelog is about another version, or has none', () => {
    for (const changelog of ['# Changelog\n\n## [1.2.2]\n\n- A thing.\n', '# Changelog\n'])
      expect(problems({ changelog })).toEqual([expect.stringContaining('newest version in CHANGELOG.md')]);
  });

  it('is refused while something waits under Unreleased; an empty heading may stay', () => {
    const under = (text: string): string =>
      `# Changelog\n\n## [Unreleased]\n${text}\n## [1.2.3]\n\n- A thing.\n`;
    expect(problems({ changelog: under('\n### Added\n\n- Not yet out.\n') })).toEqual([
      expect.stringContaining('[Unreleased]'),
    ]);
    expect(problems({ changelog: under('') })).toEqual([]);
  });

  it.each(['v1.2.2', '1.2.3', 'v1.2.3-rc.1'])('is refused under the tag %s', (tag) => {
    expect(problems({ tag })).toEqual([expect.stringContaining('as v1.2.3')]);
  });

  it('is refused when a file holds an older version, or none', () => {
    const versions = { 'src/version.ts': '1.2.2', 'package-lock.json': undefined };
    expect(problems({ versions })).toEqual([
      expect.stringContaining('src/version.ts says 1.2.2'),
      expect.stringContaining('package-lock.json says no version'),
    ]);
  });

  it('is refused where the repository is not the one the workflow runs in, case included', () => {
    expect(problems({ runsIn: 'https://git.example/Moths/antenna-sdk' })).toEqual([
      expect.stringContaining('case included'),
    ]);
  });

  it('is refused with addresses that nobody could use', () => {
    expect(problems({ manifest: { ...manifest, repository: 'moths/antenna-sdk' } })).toEqual([
      expect.stringContaining('git+https://HOST/OWNER/NAME.git'),
    ]);
    expect(problems({ manifest: { ...manifest, homepage: 'https://git.example/moths#readme' } })).toEqual([
      expect.stringContaining('without #'),
    ]);
  });
});
