import { describe, expect, it } from 'vitest';
import { readErrorBody } from '../../src/http/error-body.js';

/** As recorded from a server. */
describe('readErrorBody', () => {
  it('joins several messages of one field, and several fields', () => {
    const body = {
      password: ['This field may not be blank.'],
      email: ['This field may not be blank.', 'Two.'],
    };
    expect(readErrorBody(400, body)).toEqual({
      detail: 'password: This field may not be blank.; email: This field may not be blank. Two.',
      fieldErrors: {
        password: ['This field may not be blank.'],
        email: ['This field may not be blank.', 'Two.'],
      },
    });
  });

  it('names every field of a result that the server could not read', () => {
    const body = {
      results: [
        {
          loc: ['__root__', '0', 'result', 'detections', '0', 'bbox'],
          msg: 'value is not a valid dict',
          type: 'type_error.dict',
        },
        { loc: ['__root__', '0', 'result', 'error'], msg: 'field required', type: 'value_error.missing' },
      ],
    };
    expect(readErrorBody(400, body).fieldErrors).toEqual({
      'results.0.result.detections.0.bbox': ['value is not a valid dict'],
      'results.0.result.error': ['field required'],
    });
  });

  it('keeps the field of an error that is not in any item', () => {
    const body = {
      client_info: [
        {
          loc: ['__root__'],
          msg: 'Expecting value: line 1 column 1 (char 0)',
          type: 'value_error.jsondecode',
          ctx: { msg: 'Expecting value', doc: 'x', pos: '0' },
        },
      ],
    };
    expect(readErrorBody(400, body).fieldErrors).toEqual({
      client_info: ['Expecting value: line 1 column 1 (char 0)'],
    });
  });

  it('reads messages that a nested serializer puts deeper', () => {
    const body = { config: { size: ['too big'] }, items: [{}, { name: ['required'] }] };
    expect(readErrorBody(400, body)).toEqual({
      detail: 'config.size: too big; items.1.name: required',
      fieldErrors: { 'config.size': ['too big'], 'items.1.name': ['required'] },
    });
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'takes a field named %s for a field',
    (name) => {
      const body = JSON.parse(`{"${name}":["odd","odder"]}`) as unknown;
      const { fieldErrors } = readErrorBody(400, body);
      expect(Object.entries(fieldErrors)).toEqual([[name, ['odd', 'odder']]]);
    },
  );

  it.each([null, true, 5, 'text', {}, []])('has words for %j', (body) => {
    const { detail, fieldErrors } = readErrorBody(400, body);
    expect(detail).toMatch(/\w/);
    expect(Object.keys(fieldErrors).length).toBeLessThan(2);
  });
});
