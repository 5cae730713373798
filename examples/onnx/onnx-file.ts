import protobuf from 'protobufjs';

/** The parts of the ONNX format (version 8 of its intermediate representation) that small models need. */
const SCHEMA = `
syntax = "proto3";
message Attribute {
  string name = 1; float f = 2; int64 i = 3; bytes s = 4; Tensor t = 5;
  repeated float floats = 7; repeated int64 ints = 8; int32 type = 20;
}
message ValueInfo { string name = 1; Type type = 2; }
message Node {
  repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4; repeated Attribute attribute = 5;
}
message Tensor { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
message Dimension { oneof value { int64 dim_value = 1; string dim_param = 2; } }
message Shape { repeated Dimension dim = 1; }
message TensorType { int32 elem_type = 1; Shape shape = 2; }
message Type { TensorType tensor_type = 1; }
message Graph {
  repeated Node node = 1; string name = 2; repeated Tensor initializer = 5;
  repeated ValueInfo input = 11; repeated ValueInfo output = 12;
}
message OperatorSet { string domain = 1; int64 version = 2; }
message Model { int64 ir_version = 1; string producer_name = 2; Graph graph = 7; repeated OperatorSet opset_import = 8; }
`;
const Model = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType('Model');

const TYPES = { float32: 1, uint8: 2, int32: 6, int64: 7, float16: 10 } as const;
export type ElementType = keyof typeof TYPES;
export type Dims = readonly (number | string)[];
type Attribute = number | string | readonly number[];

/** A model while it is being written. Operations return the name of their output, so that they can be nested. */
export class OnnxFile {
  readonly #nodes: object[] = [];
  readonly #constants: object[] = [];
  readonly #inputs: object[] = [];
  readonly #outputs: object[] = [];
  #names = 0;

  input(name: string, type: ElementType, dims: Dims): string {
    this.#inputs.push(valueInfo(name, type, dims));
    return name;
  }

  /** Declares a value as an output under a name of its own. */
  output(value: string, name: string, type: ElementType, dims: Dims): void {
    this.#nodes.push({ op_type: 'Identity', input: [value], output: [name] });
    this.#outputs.push(valueInfo(name, type, dims));
  }

  floats(values: ArrayLike<number>, dims: readonly number[]): string {
    return this.#constant('float32', Float32Array.from(values), dims);
  }

  integers(values: readonly number[]): string {
    return this.#constant('int64', BigInt64Array.from(values, BigInt), [values.length]);
  }

  /** A number that fits any shape. */
  scalar(value: number): string {
    return this.floats([value], []);
  }

  op(type: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    const [output = ''] = this.ops(type, inputs, 1, attributes);
    return output;
  }

  /** An operation with several outputs. */
  ops(
    type: string,
    inputs: readonly string[],
    count: number,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string[] {
    const outputs = Array.from({ length: count }, () => this.#name());
    const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
    this.#nodes.push({ op_type: type, input: inputs, output: outputs, attribute });
    return outputs;
  }

  bytes(): Uint8Array {
    const graph = {
      name: 'graph',
      node: this.#nodes,
      initializer: this.#constants,
      input: this.#inputs,
      output: this.#outputs,
    };
    const model = {
      ir_version: 8,
      producer_name: 'antenna-sdk example',
      graph,
      opset_import: [{ domain: '', version: 17 }],
    };
    return Model.encode(Model.fromObject(model)).finish();
  }

  #constant(type: ElementType, data: Float32Array | BigInt64Array, dims: readonly number[]): string {
    const name = this.#name();
    const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#constants.push({ name, dims, data_type: TYPES[type], raw_data: raw });
    return name;
  }

  #name(): string {
    this.#names += 1;
    return `v${this.#names}`;
  }
}

function valueInfo(name: string, type: ElementType, dims: Dims): object {
  const dim = dims.map((size) => (typeof size === 'number' ? { dim_value: size } : { dim_param: size }));
  return { name, type: { tensor_type: { elem_type: TYPES[type], shape: { dim } } } };
}

/** Whole numbers are integers to ONNX, others floats. An operation that wants a float of 1 gets it as a list or by default. */
function attributeOf(name: string, value: Attribute): object {
  if (typeof value === 'string') return { name, type: 3, s: Buffer.from(value) };
  if (typeof value === 'number')
    return Number.isInteger(value) ? { name, type: 2, i: value } : { name, type: 1, f: value };
  return { name, type: 7, ints: value };
}
