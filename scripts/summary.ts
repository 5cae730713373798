// Prints the counts of a test run on a line of their own: `tsx scripts/summary.ts REPORT.json`.
import { describeCounts, readReport } from './vitest-report.js';

const [file = ''] = process.argv.slice(2);
const counts = readReport(file);
if (counts) console.log(describeCounts(counts));
else {
  console.error(`No test report at "${file}"`);
  process.exitCode = 1;
}
