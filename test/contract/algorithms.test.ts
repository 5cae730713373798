import { describe, expect, it } from 'vitest';
import {
  algorithmConfigSchema,
  algorithmSchema,
  categoryMapSchema,
  CLASSIFIER_TASK_TYPES,
  DETECTOR_TASK_TYPES,
  TASK_TYPES,
} from '../../src/contract/index.js';
import { refusal, without } from './refusal.js';
import { classifier, detector } from './samples.js';

describe('an algorithm to register', () => {
  it.each([detector, classifier])('goes through unchanged: $key', (config) => {
    expect(algorithmConfigSchema.parse(config)).toEqual(config);
  });

  it('has a task type that we know or that the server learns later', () => {
    expect(algorithmConfigSchema.parse({ ...detector, task_type: 'counting' }).task_type).toBe('counting');
    expect(algorithmConfigSchema.parse({ ...detector, task_type: null }).task_type).toBeNull();
  });

  it.each(['name', 'key'] as const)('has a %s: for an empty one the server invents its own', (field) => {
    expect(refusal(algorithmConfigSchema, { ...detector, [field]: '' })).toContain(field);
    expect(refusal(algorithmConfigSchema, { ...detector, [field]: '  ' })).toContain(field);
    expect(refusal(algorithmConfigSchema, without(detector, field))).toContain(field);
  });

  it.each(['name', 'key'] as const)(
    'has a %s of at most 255 characters: one more is a 500 (T45)',
    (field) => {
      expect(algorithmConfigSchema.safeParse({ ...detector, [field]: 'x'.repeat(255) }).success).toBe(true);
      expect(refusal(algorithmConfigSchema, { ...detector, [field]: 'x'.repeat(256) })).toContain('255');
    },
  );

  it('has a whole version: the server cuts 1.7 to 1', () => {
    for (const version of [1.7, '1', null]) {
      expect(refusal(algorithmConfigSchema, { ...detector, version })).toContain('version');
    }
  });

  it('names a misspelt field, which the server would ignore', () => {
    expect(refusal(algorithmConfigSchema, { ...classifier, categoryMap: {} })).toContain('"categoryMap"');
    expect(refusal(algorithmConfigSchema, { ...detector, type: 'detection' })).toContain('"type"');
  });
});

describe('a category map', () => {
  it('has `data`: with labels alone every result of the classifier fails in the background (T39, T45)', () => {
    expect(refusal(categoryMapSchema, { labels: ['a', 'b'] })).toContain('data');
    expect(refusal(categoryMapSchema, { labels: ['a'], data: [] })).toContain('data');
    expect(refusal(categoryMapSchema, { data: {} })).toContain('data');
    expect(refusal(categoryMapSchema, { data: ['a', 'b'] })).toContain('data[0]');
  });

  it('keeps what else an entry says, such as the rank of its taxon', () => {
    const map = { data: [{ index: 0, label: 'Noctuidae', taxon_rank: 'FAMILY' }] };
    expect(categoryMapSchema.parse(map)).toEqual(map);
  });

  it('has a label in every entry', () => {
    expect(refusal(categoryMapSchema, { data: [{ label: 'a' }, { index: 1 }] })).toContain('data[1].label');
  });
});

describe('task types', () => {
  it('that count as a detector or need a map are ones that the server knows (T45, T48)', () => {
    expect(TASK_TYPES).toEqual(expect.arrayContaining([...DETECTOR_TASK_TYPES, ...CLASSIFIER_TASK_TYPES]));
    expect(DETECTOR_TASK_TYPES.filter((type) => CLASSIFIER_TASK_TYPES.includes(type))).toEqual([]);
  });
});

describe('an algorithm from the server', () => {
  it('keeps unknown fields and task types', () => {
    const answer = {
      id: 2,
      key: 'k',
      name: 'n',
      version: 1,
      task_type: 'counting',
      category_map: { id: 1 },
      speed: 9,
    };
    expect(algorithmSchema.parse(answer)).toEqual(answer);
  });

  it('without key or name is damage', () => {
    expect(refusal(algorithmSchema, { name: 'n' })).toContain('key');
    expect(refusal(algorithmSchema, { key: 'k' })).toContain('name');
  });
});
