import { createHash } from 'node:crypto';
import { STATUS_STYLE } from './style.js';

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
