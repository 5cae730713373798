// The pipeline of the worker benches, and its parts that the raw loop sends too.
export const algorithms = [{ key: 'bench-boxes', name: 'Bench boxes', task_type: 'detection' }];

export const pipeline = (more) => ({ name: 'Bench', slug: 'bench', version: 1, algorithms, ...more });
