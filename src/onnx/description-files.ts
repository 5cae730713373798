import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { categoryMapSchema, type CategoryMap } from '../contract/registration.js';
import type { ConfigIssue } from '../errors/config.js';
import { issuesOf } from '../contract/issues.js';
import type { ClassifierDescription } from './description.js';

/** Reads the files that a description names, and collects what is wrong with them. */
export class DescriptionFiles {
  readonly issues: ConfigIssue[] = [];
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The absolute path of a file. */
  file(name: string, path: string): string {
    const absolute = resolve(this.#folder, name);
    if (!existsSync(absolute) || !statSync(absolute).isFile())
      this.issues.push({ path, message: `${absolute} is no file` });
    return absolute;
  }

  labels(name: string, path: string): readonly string[] {
    const text = this.#text(name, path);
    if (text === undefined) return [];
    if (!text.trimStart().startsWith('[')) {
      // An empty line in the middle would shift every label after it, so only the end is trimmed.
      const lines = text.trimEnd().split(/\r?\n/);
      if (lines.some((line) => line.trim() === ''))
        this.issues.push({ path, message: `${basename(name)} has an empty line among its labels` });
      return lines.map((line) => line.trim());
    }
    const parsed: unknown = this.#json(text, name, path);
    if (Array.isArray(parsed) && parsed.every((label) => typeof label === 'string')) return parsed;
    this.issues.push({ path, message: `${basename(name)} must hold an array of texts, or a label a line` });
    return [];
  }

  categoryMap({ labels, categoryMap }: ClassifierDescription, where: string): CategoryMap {
    if (labels !== undefined) {
      const list = typeof labels === 'string' ? this.labels(labels, `${where}.labels`) : labels;
      return { data: list.map((label, index) => ({ index, label })), labels: [...list] };
    }
    if (typeof categoryMap !== 'string') return this.#inOrder(categoryMap ?? { data: [] }, where);
    const text = this.#text(categoryMap, `${where}.categoryMap`);
    const parsed = categoryMapSchema.safeParse(
      text === undefined ? {} : this.#json(text, categoryMap, `${where}.categoryMap`),
    );
    if (parsed.success) return this.#inOrder(parsed.data, where);
    if (text !== undefined)
      for (const { path, message } of issuesOf(parsed.error))
        this.issues.push({ path: `${where}.categoryMap`, message: `${path}: ${message}` });
    return { data: [] };
  }

  /** Numbers of labels among others. */
  indexes(
    wanted: readonly string[],
    labels: readonly string[],
    path: string,
    among: string,
  ): readonly number[] {
    const unknown = wanted.filter((label) => !labels.includes(label));
    if (unknown.length > 0)
      this.issues.push({ path, message: `${unknown.join(', ')} must be among ${among}` });
    return wanted.map((label) => labels.indexOf(label));
  }

  /** The server takes the position for the index: a map in another order would give every insect another name. */
  #inOrder(map: CategoryMap, where: string): CategoryMap {
    const wrong = map.data.findIndex(({ index }, position) => index !== undefined && index !== position);
    if (wrong !== -1)
      this.issues.push({
        path: `${where}.categoryMap`,
        message: `data.${wrong} has index ${map.data[wrong]?.index ?? '?'}; entries must be in the order of the model's outputs`,
      });
    return map;
  }

  #text(name: string, path: string): string | undefined {
    const absolute = this.file(name, path);
    try {
      return readFileSync(absolute, 'utf8');
    } catch {
      return undefined;
    }
  }

  #json(text: string, name: string, path: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.issues.push({ path, message: `${basename(name)} is not JSON: ${why}` });
      return undefined;
    }
  }
}
