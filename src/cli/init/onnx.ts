import type { Project, StarterFile } from './project.js';
import { starterClassifier, starterDetector } from './starter-models.js';

/** Models and their description; the models are to be replaced. */
export function onnxFiles({ slug }: Project): readonly StarterFile[] {
  const description = {
    $schema: '../node_modules/antenna-sdk/dist/onnx-schema.json',
    name: slug,
    slug,
    version: 1,
    detector: { model: 'detector.onnx', labels: ['blob'], padding: 220, confidence: 0.4 },
    classifiers: [
      {
        model: 'classifier.onnx',
        labels: ['Dark thing', 'Pale thing'],
        normalise: 'unit',
        crop: { square: false },
      },
    ],
  };
  return [
    { path: 'models/antenna.json', content: `${JSON.stringify(description, null, 2)}\n` },
    { path: 'models/detector.onnx', content: starterDetector() },
    { path: 'models/classifier.onnx', content: starterClassifier() },
  ];
}
