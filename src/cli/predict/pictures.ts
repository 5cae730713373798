import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../exit-codes.js';
import type { LocalImage } from '../local-images.js';
import type { ReportRow } from '../report/report.js';
import type { Prediction } from './predict.js';

/** Long side of a picture: enough to look at, and a page of a hundred still opens. */
const MAX_SIDE = 2_048;

/** A folder with a picture of each image, a page of them, and the predictions as JSON lines. */
export class Pictures {
  readonly #folder: string;
  readonly #labels: readonly string[];
  readonly #severalPipelines: boolean;
  readonly #rows: ReportRow[] = [];
  readonly #lines: string[] = [];
  #drawn: Promise<void> = Promise.resolve();

  private constructor(folder: string, labels: readonly string[], severalPipelines: boolean) {
    this.#folder = folder;
    this.#labels = labels;
    this.#severalPipelines = severalPipelines;
  }

  /** @throws UsageError when the package that draws is not installed. */
  static async open(folder: string, labels: readonly string[], severalPipelines: boolean): Promise<Pictures> {
    try {
      await import('sharp');
    } catch {
      throw new UsageError('--out draws pictures with sharp, which is not installed here: npm install sharp');
    }
    await mkdir(folder, { recursive: true });
    return new Pictures(folder, labels, severalPipelines);
  }

  /** Draws one after the other, while the model works on the next. */
  add(prediction: Prediction, image: LocalImage): void {
    this.#lines.push(JSON.stringify(prediction));
    this.#drawn = this.#drawn.then(async () => {
      this.#rows.push(await this.#draw(prediction, image));
    });
  }

  /** @returns the path of the page. */
  async close(subtitle: string): Promise<string> {
    await this.#drawn;
    const { renderReport } = await import('../report/report.js');
    const rows = this.#rows.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
    const page = join(this.#folder, 'index.html');
    await writeFile(page, renderReport(rows, { subtitle, labels: this.#labels }));
    await writeFile(join(this.#folder, 'predictions.jsonl'), this.#lines.map((line) => `${line}\n`).join(''));
    return page;
  }

  async #draw({ image, pipeline, ...prediction }: Prediction, { path }: LocalImage): Promise<ReportRow> {
    const name = this.#severalPipelines ? `${image} (${pipeline})` : image;
    const detections = prediction.detections.map(({ bbox, label = 'unnamed', score = 0 }) => ({
      ...{ bbox, label, score },
    }));
    const row = { name, detections, durationMs: prediction.durationMs ?? 0 };
    if (prediction.error !== undefined) return { ...row, error: prediction.error };
    const picture = `${name.replaceAll(/[\\/]+/g, '__')}.boxes.jpg`;
    try {
      const [{ drawBoxes }, { default: sharp }] = await Promise.all([
        import('../report/draw.js'),
        import('sharp'),
      ]);
      const bytes = await readFile(path);
      const { width, height } = await sharp(bytes).metadata();
      const drawn = await drawBoxes(bytes, detections, { maxSide: MAX_SIDE, labels: this.#labels });
      await writeFile(join(this.#folder, picture), drawn);
      return { ...row, picture, width, height };
    } catch {
      // A format that the model reads and sharp does not: the predictions count, the picture is for looking.
      return row;
    }
  }
}
