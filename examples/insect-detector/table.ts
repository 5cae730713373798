import { formatScore, formatSize, meanScore, type ReportRow } from '../../src/cli/report/report.js';

const HEADER = ['image', 'size', 'insects', 'mean score', 'ms'] as const;

/** Columns from this one on hold numbers and are aligned to the right. */
const FIRST_NUMBER_COLUMN = 2;

/**
 * Formats the rows as an aligned table for a terminal, one line per image and one for the sum.
 *
 * Control characters in names are replaced, so that a file name cannot move the cursor or colour the terminal.
 */
export function formatTable(rows: readonly ReportRow[]): string {
  const detections = rows.flatMap((row) => row.detections);
  const duration = rows.reduce((sum, row) => sum + (row.durationMs ?? 0), 0);
  const body = rows.map((row) => [
    printable(row.name),
    formatSize(row),
    row.error === undefined ? String(row.detections.length) : 'failed',
    formatScore(meanScore(row.detections)),
    row.durationMs === undefined ? '–' : String(Math.round(row.durationMs)),
  ]);
  const images = `${rows.length} ${rows.length === 1 ? 'image' : 'images'}`;
  const sum = [
    images,
    '',
    String(detections.length),
    formatScore(meanScore(detections)),
    String(Math.round(duration)),
  ];
  const widths = HEADER.map((title, column) =>
    Math.max(...[[...HEADER], sum, ...body].map((line) => (line[column] ?? title).length)),
  );
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  const render = (line: readonly string[]): string =>
    line
      .map((cell, column) =>
        column < FIRST_NUMBER_COLUMN ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [render(HEADER), rule, ...body.map(render), rule, render(sum)].join('\n');
}

function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}
