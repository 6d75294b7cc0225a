import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { configSchema } from '../../config/schema.ts';

const documented: unknown = parse(
  readFileSync(join(import.meta.dirname, '..', '..', 'config', 'default.yaml'), 'utf8'),
);
const required = {
  mode: 'simulated',
  venues: {},
  venuePairs: [['lighter:main', 'extended:main']],
  symbols: ['BTC'],
};

describe('the defaults', () => {
  it('stand in default.yaml exactly as in the schema, each of them', () => {
    const {
      mode: _mode,
      venues: _venues,
      venuePairs: _pairs,
      symbols: _symbols,
      ...defaults
    } = configSchema.parse(required);
    expect(documented).toEqual(defaults);
  });

  it('obey their own ranges', () => {
    const bySchema = configSchema.parse(required);
    expect(configSchema.safeParse({ ...bySchema, ...required }).error).toBeUndefined();
  });
});

it('every number of the schema has a unit, a description and a finite range', () => {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' });
  let numbers = 0;
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('type' in node && (node.type === 'number' || node.type === 'integer') && !path.includes('.options.')) {
      numbers += 1;
      expect(node, path).toMatchObject({
        unit: expect.any(String),
        description: expect.stringMatching(/\S/),
        minimum: expect.any(Number),
        maximum: expect.any(Number),
        default: expect.any(Number),
      });
    }
    for (const [key, child] of Object.entries(node)) visit(child, `${path}.${key}`);
  };
  visit(schema, 'config');
  expect(numbers).toBeGreaterThan(80);
});
