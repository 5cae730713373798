import { describe, expect, it } from 'vitest';
import { lintWorkflows, workflowsHere } from '../../scripts/lint-workflows.js';

const good = `
name: Good
on: push
permissions:
  contents: read
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - uses: actions/checkout@0123456789abcdef0123456789abcdef01234567 # v7.0.0
      - run: echo "\${{ github.ref }} \${{ vars.NAME }}"
`;
const faultsOf = (text: string): Promise<string[]> => lintWorkflows(new Map([['w.yml', text]]));

describe('the workflows', () => {
  it('of this repository have no fault', async () => {
    const workflows = workflowsHere();
    expect([...workflows.keys()].map((path) => path.split('/').pop()).sort()).toEqual([
      'ci.yml',
      'docs.yml',
      'release.yml',
    ]);
    expect(await lintWorkflows(workflows)).toEqual([]);
  });

  it('are accepted when they are good', async () => {
    expect(await faultsOf(good)).toEqual([]);
  });

  it.each([
    ['an unknown key', good.replace('runs-on', 'run-on'), /^w\.yml:\d+:\d+: .*run-on/],
    ['an unknown context', good.replace('github.ref', 'git.ref'), /undefined variable "git"/],
    ['a job that needs nobody', good.replace('    runs-on', '    needs: build\n    runs-on'), /build/],
    ['the token of the default', good.replace(/permissions:\n {2}contents: read\n/, ''), /no "permissions"/],
    ['a branch for an action', good.replace('checkout@v7', 'checkout@main'), /^w\.yml:10:1: .*@main/],
    ['no YAML', 'name: [', /^w\.yml:/],
  ])('are refused with %s, which is named with its place', async (_, text, fault) => {
    expect((await faultsOf(text)).join('\n')).toMatch(new RegExp(fault, 'm'));
  });
});
