import { createHash } from 'node:crypto';

/** The style sheet of the status page; light or dark as the reader's system asks, one column on a phone. */
const STATUS_STYLE = `
:root { --ground: #f6f5f1; --card: #fff; --text: #23241f; --soft: #5f6158; --line: #dcd9cf; --accent: #2f6b4f; --bad: #b3261e; --warn: #8a5300; --track: #e6e3da; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #151713; --card: #1f221d; --text: #e9eae3; --soft: #a5a99b; --line: #363a32; --accent: #7fc8a0; --bad: #ff8a80; --warn: #ffbf66; --track: #363a32; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
header, main { max-width: 1240px; margin: 0 auto; padding: 0 20px; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 16px; padding-top: 22px; padding-bottom: 14px; }
h1 { margin: 0; font-size: 22px; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 10px; margin: 0; font-size: 17px; overflow-wrap: anywhere; }
h3 { margin: 18px 0 6px; font-size: 12px; font-weight: 600; letter-spacing: 0.05em; text-transform: uppercase; color: var(--soft); }
header p { margin: 0; color: var(--soft); }
.away { width: 100%; padding: 8px 12px; border-radius: 8px; background: var(--bad); color: var(--ground); }
.away:empty { display: none; }
main { padding-bottom: 40px; }
.workers { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 520px), 1fr)); gap: 16px; align-items: start; }
.card { min-width: 0; padding: 16px 18px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.badge { padding: 1px 10px; border-radius: 99px; border: 1px solid currentColor; font-size: 13px; font-weight: 600; color: var(--accent); }
.degraded { color: var(--warn); }
.stuck, .words.bad { color: var(--bad); }
.soft { color: var(--soft); }
.words { margin: 8px 0 0; color: var(--soft); overflow-wrap: anywhere; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); gap: 10px 14px; margin: 14px 0 0; }
.facts dt { font-size: 12px; color: var(--soft); }
.facts dd { margin: 0; font-size: 17px; line-height: 1.35; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.facts dd small { font-size: 12px; font-weight: 400; color: var(--soft); }
.job { padding: 8px 0; border-top: 1px solid var(--line); }
.job p { margin: 0; overflow-wrap: anywhere; }
.job .numbers { font-size: 13px; color: var(--soft); font-variant-numeric: tabular-nums; }
progress { display: block; width: 100%; height: 10px; margin: 5px 0; border: 0; border-radius: 5px; background: var(--track); overflow: hidden; accent-color: var(--accent); -webkit-appearance: none; appearance: none; }
progress::-webkit-progress-bar { background: var(--track); }
progress::-webkit-progress-value { background: var(--accent); }
progress::-moz-progress-bar { background: var(--accent); }
ul { margin: 0; padding: 0; list-style: none; }
li { padding: 6px 0; border-top: 1px solid var(--line); font-size: 13px; overflow-wrap: anywhere; }
.images { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 280px), 1fr)); gap: 12px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.frame { position: relative; background: var(--track); min-height: 60px; }
.frame img { display: block; width: 100%; height: auto; }
.frame svg { position: absolute; inset: 0; width: 100%; height: 100%; }
.frame rect { fill: none; stroke: #ffb000; stroke-width: 2; vector-effect: non-scaling-stroke; }
.tag { position: absolute; padding: 0 4px; font-size: 11px; line-height: 15px; color: #1b1300; background: #ffb000; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
figcaption { padding: 6px 10px; font-size: 13px; color: var(--soft); overflow-wrap: anywhere; }
`;

/** A page of ours: all that differs from one look to the next is fetched by its script. */
export interface PageSource {
  readonly title: string;
  readonly script: string;
}

/** One self-contained file of HTML. */
export function pageDocument({ title, script }: PageSource): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${STATUS_STYLE}</style>
</head>
<body>
<header>
<h1 id="host">${title}</h1>
<p id="about">looking …</p>
<p id="away" class="away" role="alert"></p>
</header>
<main id="main"></main>
<script>${script}</script>
</body>
</html>
`;
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Headers of a page. Nothing runs but its own script and nothing is asked but its own address. @param images - sources of images. */
export function documentHeaders({ script }: PageSource, images: string): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(STATUS_STYLE)}`,
    `script-src ${hashOf(script)}`,
    "connect-src 'self'",
    `img-src ${images}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'content-security-policy': policy.join('; '),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  };
}
