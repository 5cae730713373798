import { createHash } from 'node:crypto';
import { STATUS_SCRIPT } from './script.js';
import { STATUS_STYLE } from './style.js';

/** The status page: the same for every worker, since all that differs is in `status.json`. */
export const STATUS_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Antenna worker</title>
<link rel="icon" href="data:,">
<style>${STATUS_STYLE}</style>
</head>
<body>
<header>
<h1 id="host">Antenna worker</h1>
<p id="about">looking …</p>
<p id="away" class="away" role="alert"></p>
</header>
<main id="main"></main>
<script>${STATUS_SCRIPT}</script>
</body>
</html>
`;

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/**
 * Headers of the page. Nothing runs but its own script and nothing is asked but its own address; only with `view` may it load
 * images, which are elsewhere by nature.
 */
export function pageHeaders(view: boolean): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(STATUS_STYLE)}`,
    `script-src ${hashOf(STATUS_SCRIPT)}`,
    "connect-src 'self'",
    view ? 'img-src http: https: data:' : 'img-src data:',
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
