// The JSON schema of antenna.json, from the zod schema that checks it: editors complete and explain what the runtime accepts.
import { readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';
import { z } from 'zod';
import { onnxDescriptionSchema } from '../src/onnx/description.js';

const SOURCE = new URL('../src/onnx/description.ts', import.meta.url);
const TARGET = new URL('../dist/onnx-schema.json', import.meta.url);

/** Which declarations of the source a field's own fields stand in; others stand inside the field itself. */
const DECLARATIONS: Readonly<Record<string, readonly string[]>> = {
  '': ['onnxDescriptionSchema'],
  detector: ['detectorSchema', 'modelShape'],
  classifiers: ['classifierSchema', 'modelShape'],
  tiles: ['tilesSchema'],
  runtime: ['runtimeSchema'],
  normalise: ['normaliseSchema'],
};

/** What stands above each field in the source, by declaration and field. */
function explanations(): Map<string, string> {
  const text = readFileSync(SOURCE, 'utf8');
  const source = ts.createSourceFile('description.ts', text, ts.ScriptTarget.Latest, true);
  const found = new Map<string, string>();
  const visit = (node: ts.Node, declaration: string): void => {
    let here = ts.isVariableDeclaration(node) ? node.name.getText() : declaration;
    if (ts.isPropertyAssignment(node)) {
      here = `${here}.${node.name.getText()}`;
      const [comment] = ts.getJSDocCommentsAndTags(node);
      if (typeof comment?.comment === 'string') found.set(here, comment.comment.replaceAll('`', ''));
    }
    ts.forEachChild(node, (child) => {
      visit(child, here);
    });
  };
  visit(source, '');
  return found;
}

function explain(schema: unknown, owners: readonly string[], texts: ReadonlyMap<string, string>): void {
  if (typeof schema !== 'object' || schema === null) return;
  for (const [key, part] of Object.entries(schema)) {
    if (key !== 'properties' || typeof part !== 'object' || part === null) {
      explain(part, owners, texts);
      continue;
    }
    for (const [name, property] of Object.entries(part as Record<string, object>)) {
      const [text] = owners.flatMap((owner) => texts.get(`${owner}.${name}`) ?? []);
      if (text !== undefined) Object.assign(property, { description: text });
      explain(property, DECLARATIONS[name] ?? owners.map((owner) => `${owner}.${name}`), texts);
    }
  }
}

/** The schema as it is shipped. */
export function onnxJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(onnxDescriptionSchema, { io: 'input' });
  explain(schema, DECLARATIONS[''] ?? [], explanations());
  return { title: 'antenna.json: a pipeline of ONNX models', ...schema };
}

if (process.argv[1]?.endsWith('write-onnx-schema.ts')) {
  writeFileSync(TARGET, `${JSON.stringify(onnxJsonSchema(), null, 2)}\n`);
}
