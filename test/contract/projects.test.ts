import { describe, expect, it } from 'vitest';
import { projectDetailSchema, projectPageSchema, projectSchema } from '../../src/contract/index.js';
import { refusal, without } from './refusal.js';
import { page } from './samples.js';

const project = { id: 3, name: 'Public', description: '', draft: false };

describe('a project', () => {
  it('keeps unknown fields, in lists and alone', () => {
    expect(projectSchema.parse({ ...project, biome: 'alpine' })).toEqual({ ...project, biome: 'alpine' });
    const detail = {
      ...project,
      owner: null,
      feature_flags: { tags: true, telepathy: false },
      is_member: true,
    };
    expect(projectDetailSchema.parse(detail)).toEqual(detail);
  });

  it('without id or name is damage', () => {
    expect(refusal(projectSchema, without(project, 'id'))).toContain('id');
    expect(refusal(projectDetailSchema, without(project, 'name'))).toContain('name');
  });
});

describe('a list of projects', () => {
  it('without `results` or `count` is damage, never "no projects"', () => {
    expect(refusal(projectPageSchema, without(page, 'results'))).toContain('results');
    expect(refusal(projectPageSchema, without(page, 'count'))).toContain('count');
  });
});
