import { documentHeaders, pageDocument } from './document.js';
import { STATUS_SCRIPT } from './script.js';

const SOURCE = { title: 'Antenna worker', script: STATUS_SCRIPT };

/** The status page: the same for every worker, since all that differs is in `status.json`. */
export const STATUS_PAGE = pageDocument(SOURCE);

/** Headers of the page. Only with `view` may it load images, which are elsewhere by nature. */
export function pageHeaders(view: boolean): Readonly<Record<string, string>> {
  return documentHeaders(SOURCE, view ? 'http: https: data:' : 'data:');
}
