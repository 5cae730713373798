/** First four bytes of every frame. Text on the wrong stream is told apart from a message by them. */
const MAGIC = Buffer.from('ANTH');
const PREFIX_BYTES = 12;
/** Longest header that is read: a hundred images' results with all their scores stay below. */
const MAX_HEADER_BYTES = 64 * 1024 * 1024;
/** How much of what is no message is shown. */
const SHOWN_BYTES = 120;

/** Somebody wrote what is no frame, or no message. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
  /** The beginning of what came, for the log alone: it may hold anything. */
  readonly came: string | undefined;

  constructor(message: string, came?: string) {
    super(message);
    this.came = came;
  }
}

/**
 * The bytes of a frame before its payload: `ANTH`, the header's length and the payload's as unsigned 32-bit big-endian numbers, the
 * header as JSON in UTF-8. The payload is written after it as it is, so that no image is copied here.
 */
export function frameHead(header: object, payloadBytes = 0): Buffer {
  const json = JSON.stringify(header);
  const length = Buffer.byteLength(json);
  const head = Buffer.allocUnsafe(PREFIX_BYTES + length);
  MAGIC.copy(head);
  head.writeUInt32BE(length, 4);
  head.writeUInt32BE(payloadBytes, 8);
  head.write(json, PREFIX_BYTES, 'utf8');
  return head;
}

/** Whom a {@link FrameReader} tells. */
export interface FrameSink {
  readonly frame: (header: unknown) => void;
  /** Text before the first frame: what a model's libraries print while they are imported. */
  readonly text: (text: string) => void;
}

/**
 * Cuts what a handler sends into frames. Before the first one anything may come and is taken for printed text, as a library may print
 * before the handler's code has moved its standard output away; after it nothing else may.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  #chunks: Buffer[] = [];
  #length = 0;
  #begun = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Bytes of a frame that is not whole yet. */
  get pendingBytes(): number {
    return this.#length;
  }

  /** @throws FrameError for what is no frame; the reader is of no use afterwards. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (!this.#begun && !this.#begin()) return;
    while (this.#length >= PREFIX_BYTES) {
      const headerBytes = headerLength(this.#peek(Math.min(this.#length, SHOWN_BYTES)));
      if (this.#length < PREFIX_BYTES + headerBytes) return;
      const json = this.#take(PREFIX_BYTES + headerBytes).toString('utf8', PREFIX_BYTES);
      this.#sink.frame(parse(json));
    }
    // Garbage is known for what it is from its first bytes; it may never get as long as a prefix.
    if (this.#length > 0) checkMagic(this.#peek(Math.min(this.#length, SHOWN_BYTES)));
  }

  /** Looks for the first frame. @returns whether it has begun. */
  #begin(): boolean {
    const all = this.#peek(this.#length);
    const at = all.indexOf(MAGIC);
    const textBytes = at === -1 ? all.length - partOfMagic(all) : at;
    if (textBytes > 0) this.#sink.text(this.#take(textBytes).toString('utf8'));
    this.#begun = at !== -1;
    return this.#begun;
  }

  /** The first bytes, in one piece. A long header comes in many chunks, and is joined once, when the last is there. */
  #peek(bytes: number): Buffer {
    const [first] = this.#chunks;
    if (first && first.length >= bytes) return first.subarray(0, bytes);
    if (bytes <= PREFIX_BYTES) return Buffer.concat(this.#chunks.slice(0, PREFIX_BYTES), bytes);
    return this.#joined().subarray(0, bytes);
  }

  #take(bytes: number): Buffer {
    const all = this.#joined();
    this.#length -= bytes;
    this.#chunks = this.#length > 0 ? [all.subarray(bytes)] : [];
    return all.subarray(0, bytes);
  }

  #joined(): Buffer {
    const [first, ...others] = this.#chunks;
    const all = first && others.length === 0 ? first : Buffer.concat(this.#chunks, this.#length);
    this.#chunks = [all];
    return all;
  }
}

function headerLength(prefix: Buffer): number {
  checkMagic(prefix);
  const headerBytes = prefix.readUInt32BE(4);
  if (headerBytes > MAX_HEADER_BYTES)
    throw new FrameError(
      `a header of ${headerBytes} bytes is announced; at most ${MAX_HEADER_BYTES} are read`,
    );
  const payloadBytes = prefix.readUInt32BE(8);
  if (payloadBytes > 0)
    throw new FrameError(`a payload of ${payloadBytes} bytes is announced; handlers send none`);
  return headerBytes;
}

function checkMagic(bytes: Buffer): void {
  const length = Math.min(bytes.length, MAGIC.length);
  if (bytes.compare(MAGIC, 0, length, 0, length) === 0) return;
  throw new FrameError(
    'something else came where a message should begin; print to standard error instead',
    bytes.toString('utf8'),
  );
}

/** How many bytes at the end may be the beginning of the magic. */
function partOfMagic(bytes: Buffer): number {
  for (let length = Math.min(MAGIC.length - 1, bytes.length); length > 0; length--)
    if (bytes.compare(MAGIC, 0, length, bytes.length - length) === 0) return length;
  return 0;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new FrameError(`a header is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
