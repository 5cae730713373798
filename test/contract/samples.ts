const MOMENT = '2026-01-01T00:00:00.000Z';

/** Small good wire objects; a test changes the one field that it is about. */
export const classification = {
  classification: 'Noctuidae',
  scores: [0.7, 0.2, 0.1],
  algorithm: { name: 'Moth Family', key: 'moth-family' },
  timestamp: MOMENT,
};

export const detection = {
  source_image_id: '18',
  bbox: { x1: 10.5, y1: 12, x2: 40.5, y2: 44.25 },
  algorithm: { name: 'Moth Box', key: 'moth-box' },
  timestamp: MOMENT,
  classifications: [classification],
};

export const success = {
  pipeline: 'moth-quick',
  total_time: 1.25,
  source_images: [{ id: '18', url: 'https://img.example.org/18.jpg' }],
  detections: [detection],
};

export const failure = { error: 'The image is no JPEG', image_id: '18' };

export const detector = { name: 'Moth Box', key: 'moth-box', version: 1, task_type: 'detection' };

export const classifier = {
  name: 'Moth Family',
  key: 'moth-family',
  version: 1,
  task_type: 'classification',
  category_map: { data: [{ index: 0, label: 'Noctuidae' }], labels: ['Noctuidae'] },
};

export const pipeline = {
  name: 'Moth Quick',
  slug: 'moth-quick',
  version: 1,
  algorithms: [detector, classifier],
};

export const stage = { key: 'process', name: 'Process', status: 'STARTED', progress: 0.5, params: [] };

export const job = {
  id: 24,
  name: 'night 12',
  status: 'STARTED',
  dispatch_mode: 'async_api',
  progress: { summary: { status: 'STARTED', progress: 0.5 }, stages: [stage] },
};

export const service = { id: 2, name: 'my-worker', projects: [1] };

export const page = { count: 0, next: null, previous: null, results: [] as unknown[] };
