import { documentHeaders, pageDocument } from '../../worker/observe/page/document.js';
import { PAGE_TOOLS } from '../../worker/observe/page/script.js';

/** No backtick and no dollar-brace inside, since it is itself a text. */
const SCRIPT =
  PAGE_TOOLS +
  String.raw`
const COLOURS = { SUCCESS: 'ok', STARTED: 'ok', FAILURE: 'stuck', REVOKED: 'degraded' };
function jobNode(job) {
  const bar = el('progress');
  bar.max = Math.max(job.total, 1);
  bar.value = Math.min(job.done, job.total);
  bar.setAttribute('aria-label', 'Job ' + job.id);
  const queue = job.queue;
  const node = el('section', 'card',
    el('h2', '', 'Job ' + job.id, el('span', 'badge ' + (COLOURS[job.status] || 'degraded'), job.status)),
    el('p', 'words', job.name + ' · ' + job.pipeline + ' · project ' + job.project), bar,
    el('dl', 'facts',
      fact('images', number(job.done) + ' of ' + number(job.total)),
      fact('failed', number(job.failed)),
      fact('detections', number(job.detections)),
      fact('in the queue', queue ? number(queue.waiting) : 'none'),
      fact('with workers', queue ? number(queue.outstanding) : '–'),
      fact('acknowledged', number(job.acknowledged)),
      fact('given up', number(job.exhausted)),
      fact('deliveries', number(job.deliveries), job.expired ? number(job.expired) + ' ran out' : ''),
      fact('results posted', number(job.posted))));
  if (job.events.length) node.append(el('h3', '', 'Deliveries and results, newest first'), el('ul', '', ...job.events.map((event) =>
    el('li', '', el('b', '', event.kind), event.imageId ? ' image ' + event.imageId : '', el('span', 'soft', ' · ' + clock(event.at) + (event.more ? ' · ' + event.more : ''))))));
  return node;
}

function figureNode(picture) {
  const key = keyOf(picture);
  const known = figures.get(key);
  if (known) return known;
  const frame = el('div', 'frame');
  const image = el('img');
  image.alt = 'image ' + picture.imageId;
  image.addEventListener('load', () => drawBoxes(frame, image, picture.boxes));
  image.src = picture.path;
  frame.append(image);
  const figure = el('figure', '', frame, el('figcaption', '', 'image ' + picture.imageId + ' · job ' + picture.jobId + ' · ' + picture.boxes.length + (picture.boxes.length === 1 ? ' box' : ' boxes')));
  figures.set(key, figure);
  return figure;
}

function projectNode(project) {
  return el('section', 'card', el('h2', '', 'Project ' + project.id + ' ' + project.name),
    el('p', 'words', project.pipelines.length ? 'Pipelines: ' + project.pipelines.join(', ') : 'No pipeline is registered yet: antenna run does it.'),
    el('ul', '', ...project.services.map((service) => el('li', '', el('b', '', service.name),
      el('span', 'soft', ' · ' + (service.lastSeen ? 'seen ' + clock(service.lastSeen) : 'not seen yet') + (service.client ? ' · ' + service.client : ''))))));
}

function show(state) {
  document.getElementById('about').textContent = [state.url, state.dialect, number(state.images) + ' images', state.software, 'nothing is kept when it ends'].join(' · ');
  keepFigures(state.pictures);
  document.getElementById('main').replaceChildren(
    el('div', 'workers', ...state.jobs.map(jobNode), ...state.projects.map(projectNode)),
    ...(state.pictures.length ? [el('h3', '', 'Last images'), el('div', 'images', ...state.pictures.map(figureNode))] : []),
    ...(state.requests.length ? [el('h3', '', 'Last requests'), el('ul', '', ...state.requests.map((request) =>
      el('li', '', el('b', '', request.method + ' '), request.path, el('span', 'soft', ' · ' + (request.status === null ? 'cut' : request.status) + ' · ' + clock(request.at)))))] : []));
}
look(show, 'antenna serve has ended');
`;

const SOURCE = { title: 'Antenna contract server', script: SCRIPT };

/** The page of `antenna serve`: jobs, their queues and deliveries, images with their boxes. */
export const SERVE_PAGE = pageDocument(SOURCE);

/** Images are this server's own, and nothing else may be loaded. */
export const SERVE_PAGE_HEADERS = documentHeaders(SOURCE, "'self' data:");
