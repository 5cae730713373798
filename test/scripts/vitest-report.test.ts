import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeCounts, readReport } from '../../scripts/vitest-report.js';

const good = {
  success: true,
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [{ status: 'passed', assertionResults: [{}, {}, {}] }],
};

describe('the line that a test run ends with', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'antenna-sdk-report-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const lineOf = (report: object): string | undefined => {
    const file = join(folder, 'report.json');
    writeFileSync(file, JSON.stringify(report));
    const counts = readReport(file);
    return counts && describeCounts(counts);
  };

  it('gives the counts, and the skipped ones where there are any', () => {
    expect(lineOf(good)).toBe('3 passed, 0 failed');
    expect(lineOf({ ...good, numPendingTests: 1, numTodoTests: 1 })).toBe('3 passed, 0 failed, 2 skipped');
    expect(lineOf({ ...good, success: false, numFailedTests: 2 })).toBe('3 passed, 2 failed');
  });

  it('counts a file that could not be loaded, which has no failed test', () => {
    const testResults = [...good.testResults, { status: 'failed', assertionResults: [] }];
    expect(lineOf({ ...good, success: false, testResults })).toBe('3 passed, 1 failed');
  });

  it('never says "0 failed" of a run that failed outside of any test', () => {
    expect(lineOf({ ...good, success: false })).toBe('3 passed, 1 failed');
  });

  it('is not made up when there is no report', () => {
    expect(readReport(join(folder, 'absent.json'))).toBeUndefined();
  });
});
