import type { Antenna } from '../antenna.js';
import { insertPipeline } from '../state/new-rows.js';
import type { AlgorithmRow, CaptureRow, PipelineRow, SavedDetection } from '../state/rows.js';
import type { PostedClassification, PostedDetection, PostedSuccess } from '../validate/result-schema.js';

/** Saving a result failed in the background, after the 200 (contract §7.5). What was stored before stays stored. */
export class SaveFailure extends Error {}

const DETECTOR_TYPES = ['detection', 'localization', 'segmentation'];
const TAXON_NAME_LIMIT = 255;

/**
 * Stores a successful result with every oddity of the real server: unknown slugs create empty pipelines, classifications
 * are paired with detections by position in a list that starts with the detections known before.
 * @throws SaveFailure with the reason; parts may be stored.
 */
export function saveResult(antenna: Antenna, result: PostedSuccess): void {
  const pipeline = findPipeline(antenna, result.pipeline);
  const algorithms = antenna.store.algorithmsOf(pipeline);
  const detectors = algorithms.filter((algorithm) => DETECTOR_TYPES.includes(algorithm.taskType ?? ''));
  if (detectors.length !== 1) {
    throw new SaveFailure(`pipeline ${pipeline.slug} has ${detectors.length} detection algorithms, not one`);
  }
  const captures = result.source_images.map((image) => findCapture(antenna, image.id));
  const stored = storeDetections(antenna, algorithms, result.detections);
  pairClassifications(antenna, algorithms, stored, result.detections);
  for (const capture of captures) {
    if (!capture) continue;
    if (result.detections.length === 0) addMarker(antenna, capture, detectors[0]?.key ?? '');
    capture.processedBy ??= new Set();
    capture.processedBy.add(pipeline.id);
  }
}

function findPipeline(antenna: Antenna, slug: string): PipelineRow {
  const { pipelines } = antenna.store;
  const known = pipelines.find((candidate) => candidate.slug === slug);
  if (known) return known;
  insertPipeline(antenna.store, { slug });
  throw new SaveFailure(`pipeline ${slug} was unknown; an empty one of that name exists now`);
}

function findCapture(antenna: Antenna, id: string): CaptureRow | undefined {
  if (!/^\s*[+-]?\d+\s*$/.test(id)) throw new SaveFailure(`source image id ${id} is not an integer`);
  return antenna.store.captures.get(Number(id));
}

function algorithmByKey(algorithms: readonly AlgorithmRow[], key: string): AlgorithmRow {
  const found = algorithms.find((algorithm) => algorithm.key === key);
  if (!found) throw new SaveFailure(`algorithm ${key} is not registered on the pipeline`);
  return found;
}

/** Known detections (same capture, same exact box) first, then new ones: the order that classifications meet. */
function storeDetections(
  antenna: Antenna,
  algorithms: readonly AlgorithmRow[],
  posted: readonly PostedDetection[],
): SavedDetection[] {
  const existing: SavedDetection[] = [];
  const created: { capture: CaptureRow; detection: SavedDetection }[] = [];
  for (const item of posted) {
    const capture = findCapture(antenna, item.source_image_id);
    // Skipped without a trace, which shifts all later classifications by one detection (contract §7.5).
    if (!capture) continue;
    const known = capture.detections.find((saved) => sameBox(saved.bbox, item.bbox));
    if (known) {
      existing.push(known);
      continue;
    }
    const algorithm = algorithmByKey(algorithms, item.algorithm.key).key;
    const detection = {
      id: antenna.store.nextDetectionId++,
      bbox: item.bbox,
      algorithm,
      classifications: [],
    };
    created.push({ capture, detection });
  }
  for (const { capture, detection } of created) capture.detections.push(detection);
  return [...existing, ...created.map(({ detection }) => detection)];
}

function sameBox(a: SavedDetection['bbox'], b: PostedDetection['bbox']): boolean {
  if (a === null || b === null) return a === b;
  return a.x1 === b.x1 && a.y1 === b.y1 && a.x2 === b.x2 && a.y2 === b.y2;
}

function pairClassifications(
  antenna: Antenna,
  algorithms: readonly AlgorithmRow[],
  stored: readonly SavedDetection[],
  posted: readonly PostedDetection[],
): void {
  stored.forEach((detection, index) => {
    for (const classification of posted[index]?.classifications ?? []) {
      addClassification(antenna, algorithms, detection, classification);
    }
  });
}

function addClassification(
  antenna: Antenna,
  algorithms: readonly AlgorithmRow[],
  detection: SavedDetection,
  posted: PostedClassification,
): void {
  const algorithm = algorithmByKey(algorithms, posted.algorithm.key);
  if (posted.scores.length === 0) throw new SaveFailure('scores are empty');
  const score = posted.scores.reduce((best, value) => Math.max(best, value), -Infinity);
  const labels = mapLength(antenna, algorithm, posted);
  if (posted.scores.indexOf(score) >= labels) {
    throw new SaveFailure(
      `the highest score is at position ${posted.scores.indexOf(score)}, the category map has ${labels}`,
    );
  }
  const taxon = posted.classification;
  if (taxon.length > TAXON_NAME_LIMIT) throw new SaveFailure('the taxon name has more than 255 characters');
  const known = detection.classifications.some(
    (saved) => saved.taxon === taxon && saved.algorithm === algorithm.key && saved.score === score,
  );
  if (!known)
    detection.classifications.push({ taxon, score, algorithm: algorithm.key, terminal: posted.terminal });
}

/** Entries of the algorithm's map; one without any map gets a placeholder from the first classification. */
function mapLength(antenna: Antenna, algorithm: AlgorithmRow, posted: PostedClassification): number {
  if (!algorithm.categoryMap) {
    const labels = posted.labels ?? posted.scores.map((_, index) => String(index));
    const { categoryMaps } = antenna.store;
    const data = labels.map((label, index) => ({ index, label }));
    algorithm.categoryMap = categoryMaps.add({ id: categoryMaps.takeId(), labels, data });
  }
  const { data } = algorithm.categoryMap;
  return Array.isArray(data) ? data.length : 0;
}

/** The "nothing found" marker. */
function addMarker(antenna: Antenna, capture: CaptureRow, algorithm: string): void {
  if (capture.detections.some((saved) => saved.bbox === null)) return;
  capture.detections.push({
    id: antenna.store.nextDetectionId++,
    bbox: null,
    algorithm,
    classifications: [],
  });
}
