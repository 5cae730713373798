import { colorOf, type Detection } from './detection.js';
import { escapeMarkup } from './markup.js';
import { REPORT_STYLE } from './report-style.js';

/** One image in the report and in the terminal table. */
export interface ReportRow {
  /** Name to show. */
  name: string;
  /** The picture with boxes: a file name relative to the page. */
  picture?: string;
  /** What the picture links to, relative to the page; by default the picture itself. */
  fullSize?: string;
  /** Width of the source image in pixels. */
  width?: number;
  /** Height of the source image in pixels. */
  height?: number;
  /** How long detection and classification took, in milliseconds. */
  durationMs?: number;
  detections: readonly Detection[];
  /** Why the image has no result. */
  error?: string;
}

/** Texts of the page. */
export interface ReportOptions {
  /** Default "Insects found". */
  title?: string;
  /** A sentence under the title, for instance which job and pipeline. */
  subtitle?: string;
  /** Labels that get colours of their own, in this order. */
  labels?: readonly string[];
}

/** Renders one HTML page without external resources, apart from the pictures, which it names by relative path. */
export function renderReport(rows: readonly ReportRow[], options: ReportOptions = {}): string {
  const title = escapeMarkup(options.title ?? 'Insects found');
  const subtitle =
    options.subtitle === undefined ? '' : `<p class="subtitle">${escapeMarkup(options.subtitle)}</p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<header>
<h1>${title}</h1>
${subtitle}
${renderTotals(rows)}
${renderLegend(rows, options.labels)}
</header>
<main>
${rows.map((row) => renderCard(row, options.labels)).join('\n')}
</main>
</body>
</html>
`;
}

function renderTotals(rows: readonly ReportRow[]): string {
  const detections = rows.flatMap((row) => row.detections);
  const failed = rows.filter((row) => row.error !== undefined).length;
  const duration = rows.reduce((sum, row) => sum + (row.durationMs ?? 0), 0);
  const totals: [string, string][] = [
    ['images', String(rows.length)],
    ['insects', String(detections.length)],
    ['mean score', formatScore(meanScore(detections))],
    ['detector time', `${(duration / 1000).toFixed(1)} s`],
  ];
  if (failed > 0) totals.push(['failed', String(failed)]);
  return `<dl class="totals">${totals.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl>`;
}

function renderLegend(rows: readonly ReportRow[], labels?: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const { label } of rows.flatMap((row) => row.detections))
    counts.set(label, (counts.get(label) ?? 0) + 1);
  const items = [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([label, count]) => `<li>${renderSwatch(label, labels)}${escapeMarkup(label)} <b>${count}</b></li>`);
  return items.length === 0 ? '' : `<ul class="legend">${items.join('')}</ul>`;
}

function renderSwatch(label: string, labels?: readonly string[]): string {
  return `<span class="swatch" style="background:${colorOf(label, labels)}"></span>`;
}

function renderCard(row: ReportRow, labels?: readonly string[]): string {
  const count = row.detections.length;
  const facts = [
    formatSize(row),
    row.durationMs === undefined ? '' : `${Math.round(row.durationMs)} ms`,
  ].filter(Boolean);
  const badge = row.error === undefined ? `${count} ${count === 1 ? 'insect' : 'insects'}` : 'failed';
  return `<article>
<h2><span>${escapeMarkup(row.name)}</span><span class="badge${row.error === undefined ? '' : ' failed'}">${badge}</span></h2>
${renderPicture(row)}
<p class="facts">${facts.join(' · ')}</p>
${row.error === undefined ? renderDetections(row.detections, labels) : `<p class="error">${escapeMarkup(row.error)}</p>`}
</article>`;
}

function renderPicture({ name, picture, fullSize }: ReportRow): string {
  if (picture === undefined) return '';
  const link = relativeUrl(fullSize ?? picture);
  return `<a class="picture" href="${link}"><img src="${relativeUrl(picture)}" alt="${escapeMarkup(name)} with boxes" loading="lazy"></a>`;
}

/** Encodes each part of a path: a `#`, `?` or `javascript:` in a file name must stay part of the name. */
function relativeUrl(path: string): string {
  return escapeMarkup(path.split(/[\\/]/).map(encodeURIComponent).join('/'));
}

function renderDetections(detections: readonly Detection[], labels?: readonly string[]): string {
  if (detections.length === 0) return '<p class="facts">Nothing found.</p>';
  const lines = detections.map(({ bbox, label, score }, i) => {
    const size = `${Math.round(bbox.x2 - bbox.x1)} × ${Math.round(bbox.y2 - bbox.y1)}`;
    const place = `${Math.round(bbox.x1)}, ${Math.round(bbox.y1)}`;
    return `<tr><td>${i + 1}</td><td>${renderSwatch(label, labels)}${escapeMarkup(label)}</td><td>${formatScore(score)}</td><td>${place}</td><td>${size}</td></tr>`;
  });
  return `<details${detections.length <= 6 ? ' open' : ''}><summary>Detections</summary>
<table><thead><tr><th>#</th><th>label</th><th>score</th><th>x, y</th><th>size</th></tr></thead>
<tbody>${lines.join('')}</tbody></table></details>`;
}

/** Mean of the scores; undefined without detections. */
export function meanScore(detections: readonly Detection[]): number | undefined {
  if (detections.length === 0) return undefined;
  return detections.reduce((sum, { score }) => sum + score, 0) / detections.length;
}

/** A score with two decimals, or a dash. */
export function formatScore(score: number | undefined): string {
  return score === undefined ? '–' : score.toFixed(2);
}

/** `1920 × 1080`, or a dash when the size is unknown. */
export function formatSize({ width, height }: Pick<ReportRow, 'width' | 'height'>): string {
  return width === undefined || height === undefined ? '–' : `${width} × ${height}`;
}
