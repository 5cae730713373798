import type { ResponseRecord } from '../messages.js';

const HTML = 'text/html; charset=utf-8';

/** A JSON answer. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): ResponseRecord {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

/** An answer without body. */
export function empty(status: number): ResponseRecord {
  return { status, headers: {}, body: '' };
}

/** An HTML page, as Django sends for unknown routes and unhandled exceptions (T3). */
export function page(status: number, title: string, text: string): ResponseRecord {
  return {
    status,
    headers: { 'content-type': HTML },
    body: `<!doctype html>\n<html lang="en">\n<head><title>${title}</title></head>\n<body><h1>${title}</h1><p>${text}</p></body>\n</html>\n`,
  };
}

export function notFoundPage(): ResponseRecord {
  return page(404, 'Not Found', 'The requested resource was not found on this server.');
}

export function serverErrorPage(): ResponseRecord {
  return page(500, 'Server Error (500)', '');
}

/** The answer to a missing final slash: an absolute path, an empty HTML body, and a trap for POST (T1). */
export function redirect(location: string, status = 301): ResponseRecord {
  return { status, headers: { 'content-type': HTML, location }, body: '' };
}

/** The browsable page that `Accept: text/html` gets instead of JSON. */
export function browsable(response: ResponseRecord): ResponseRecord {
  const escaped = String(response.body).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return {
    ...response,
    headers: { ...response.headers, 'content-type': HTML },
    body: `<!doctype html>\n<html lang="en">\n<head><title>Antenna API</title></head>\n<body><pre>${escaped}</pre></body>\n</html>\n`,
  };
}
