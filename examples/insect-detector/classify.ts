import type { Blob } from './types.js';

/** What the classifier looks at; nothing else of the blob decides. */
export type ClassifierFeatures = Pick<Blob, 'relativeLength' | 'elongation' | 'solidity'>;

/** One answer of the classifier, in the form that a result carries. */
export interface BlobClassification {
  /** The label with the highest score. */
  label: string;
  /** Its position in {@link LABELS}. */
  index: number;
  /** Its score, 0–1. */
  score: number;
  /** One score per label, in the order of {@link LABELS}; they sum to 1. */
  scores: number[];
  /** What the scores are the softmax of: minus half the squared distance to each prototype. */
  logits: number[];
}

/** The middle of a class in feature space; a feature left out says nothing about the class. */
interface Prototype {
  label: string;
  /** Share of the image's long side. */
  relativeLength?: number;
  elongation?: number;
  solidity?: number;
}

/**
 * The classes: size and shape, which is all that a silhouette supports.
 *
 * A silhouette does not tell a spider from an insect, so the name is the phylum's; and what is small or large is so relative
 * to the image, since the scale of a photograph is not known.
 */
const PROTOTYPES: readonly Prototype[] = [
  // At a dozen pixels, elongation and solidity are mostly rounding.
  { label: 'Arthropoda (tiny)', relativeLength: 0.007 },
  { label: 'Arthropoda (small, compact)', relativeLength: 0.018, elongation: 1.5, solidity: 0.92 },
  { label: 'Arthropoda (slender)', relativeLength: 0.024, elongation: 3.2, solidity: 0.92 },
  { label: 'Arthropoda (sprawling)', relativeLength: 0.04, solidity: 0.55 },
  { label: 'Arthropoda (medium, broad)', relativeLength: 0.042, elongation: 1.7, solidity: 0.88 },
  { label: 'Arthropoda (large, broad)', relativeLength: 0.1, elongation: 1.8, solidity: 0.85 },
];

/** Typical spread of each feature within a class; the first two are on a log2 scale, where sizes are compared as ratios. */
const SPREADS = { relativeLength: 0.6, elongation: 0.4, solidity: 0.12 } as const;

/** All labels, in the order of the scores. */
export const LABELS: readonly string[] = PROTOTYPES.map(({ label }) => label);

/**
 * The category map for registering the classifier.
 *
 * No `taxon_rank`: the labels are no taxa of any rank, and a wrong rank would enter the server's taxonomy.
 */
export const CATEGORY_MAP: {
  data: { index: number; label: string }[];
  labels: string[];
  description: string;
} = {
  data: LABELS.map((label, index) => ({ index, label })),
  labels: [...LABELS],
  description: 'Size and shape classes of silhouettes, relative to the image; not an identification.',
};

/** Classifies one silhouette by its distance to the class prototypes. */
export function classifyBlob(features: ClassifierFeatures): BlobClassification {
  const logits = PROTOTYPES.map((prototype) => -squaredDistance(features, prototype) / 2);
  const scores = softmax(logits);
  const index = scores.indexOf(Math.max(...scores));
  return { label: LABELS[index] ?? '', index, score: scores[index] ?? 0, scores, logits };
}

function squaredDistance(features: ClassifierFeatures, prototype: Prototype): number {
  return (
    squaredTerm(Math.log2(features.relativeLength), log2(prototype.relativeLength), SPREADS.relativeLength) +
    squaredTerm(Math.log2(features.elongation), log2(prototype.elongation), SPREADS.elongation) +
    squaredTerm(features.solidity, prototype.solidity, SPREADS.solidity)
  );
}

function log2(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.log2(value);
}

/** A feature that the class leaves open counts 1, its expected value: 0 would favour the class that knows least. */
function squaredTerm(value: number, middle: number | undefined, spread: number): number {
  return middle === undefined ? 1 : ((value - middle) / spread) ** 2;
}

/** Turns logits into scores that sum to 1. */
export function softmax(logits: readonly number[]): number[] {
  // Without the shift, logits far below zero would all underflow to 0 and the scores become NaN.
  const highest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - highest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
