/** Where and why Python's `json` module gives up; both the parser's and pydantic's errors quote it. */
interface JsonFailure {
  readonly message: string;
  /** Offset in characters. */
  readonly position: number;
  readonly line: number;
  readonly column: number;
}

export type JsonOutcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: string; readonly failure?: JsonFailure };

/**
 * Parses JSON as the server does: strictly, and with Python's wording for what is wrong, because that wording is part of
 * the 400 that clients see.
 */
export function parsePythonJson(text: string): JsonOutcome {
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch {
    return explain(text);
  }
}

class Stop extends Error {
  readonly reason: string;
  readonly position: number;

  constructor(reason: string, position: number) {
    super(reason);
    this.reason = reason;
    this.position = position;
  }
}

class OutOfRange extends Error {}

function explain(text: string): JsonOutcome {
  try {
    const end = skipSpace(text, scanValue(text, skipSpace(text, 0)));
    if (end < text.length) throw new Stop('Extra data', end);
  } catch (error) {
    if (error instanceof OutOfRange) return { ok: false, error: error.message };
    if (error instanceof Stop) {
      const failure = locate(text, error);
      const where = `line ${failure.line} column ${failure.column} (char ${failure.position})`;
      return { ok: false, error: `${failure.message}: ${where}`, failure };
    }
    throw error;
  }
  return { ok: false, error: 'Invalid JSON' };
}

function locate(text: string, stop: Stop): JsonFailure {
  const before = text.slice(0, stop.position);
  const line = before.split('\n').length;
  const column = stop.position - before.lastIndexOf('\n');
  return { message: stop.reason, position: stop.position, line, column };
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (' \t\n\r'.includes(text.charAt(at)) && at < text.length) at++;
  return at;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const CONSTANTS = ['null', 'true', 'false'];
const OUT_OF_RANGE = ['NaN', '-Infinity', 'Infinity'];

function scanValue(text: string, at: number): number {
  const first = text.charAt(at);
  if (first === '"') return scanString(text, at);
  if (first === '{') return scanObject(text, at + 1);
  if (first === '[') return scanArray(text, at + 1);
  const constant = CONSTANTS.find((word) => text.startsWith(word, at));
  if (constant) return at + constant.length;
  const outOfRange = OUT_OF_RANGE.find((word) => text.startsWith(word, at));
  if (outOfRange) throw new OutOfRange(`Out of range float values are not JSON compliant: '${outOfRange}'`);
  NUMBER.lastIndex = at;
  const number = NUMBER.exec(text);
  if (number) return at + number[0].length;
  throw new Stop('Expecting value', at);
}

function scanString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') return at + 1;
    if (character < ' ') throw new Stop('Invalid control character at', at);
    if (character !== '\\') continue;
    at++;
    const escape = text.charAt(at);
    if (at >= text.length) break;
    if (escape === 'u') {
      if (!/^[0-9a-fA-F]{4}$/.test(text.slice(at + 1, at + 5))) throw new Stop('Invalid \\uXXXX escape', at);
      at += 4;
    } else if (!'"\\/bfnrt'.includes(escape)) {
      throw new Stop('Invalid \\escape', at - 1);
    }
  }
  throw new Stop('Unterminated string starting at', start);
}

function scanObject(text: string, from: number): number {
  let at = skipSpace(text, from);
  if (text.charAt(at) === '}') return at + 1;
  for (;;) {
    if (text.charAt(at) !== '"') throw new Stop('Expecting property name enclosed in double quotes', at);
    at = skipSpace(text, scanString(text, at));
    if (text.charAt(at) !== ':') throw new Stop("Expecting ':' delimiter", at);
    at = skipSpace(text, scanValue(text, skipSpace(text, at + 1)));
    if (text.charAt(at) === '}') return at + 1;
    if (text.charAt(at) !== ',') throw new Stop("Expecting ',' delimiter", at);
    at = skipSpace(text, at + 1);
  }
}

function scanArray(text: string, from: number): number {
  let at = skipSpace(text, from);
  if (text.charAt(at) === ']') return at + 1;
  for (;;) {
    at = skipSpace(text, scanValue(text, at));
    if (text.charAt(at) === ']') return at + 1;
    if (text.charAt(at) !== ',') throw new Stop("Expecting ',' delimiter", at);
    at = skipSpace(text, at + 1);
  }
}
