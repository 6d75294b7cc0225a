/** Every worked example and every property of the domain has a test that says its name; a report with a hole would look complete. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const texts = readdirSync(import.meta.dirname, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts') && entry.name !== 'named-tests.test.ts')
  .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));

const missing = (count: number, patternOf: (number: number) => RegExp): readonly number[] =>
  Array.from({ length: count }, (_, index) => index + 1).filter(
    (number) => !texts.some((text) => patternOf(number).test(text)),
  );

it('EX-1 to EX-18 are shown in the report, what was worked out beside what was computed', () => {
  expect(missing(18, (number) => new RegExp(`new Example\\('EX-${number}', context\\)`))).toEqual([]);
});

it('T1 to T11 are properties by that name', () => {
  expect(missing(11, (number) => new RegExp(`(?:it|describe)\\('T${number}: `))).toEqual([]);
});

it('what runs a thousand times takes its count and seed from one place', () => {
  const properties = texts.filter((text) => /\bit\('T\d+: /.test(text) && text.includes('fc.property('));
  expect(properties.length).toBeGreaterThan(5);
  for (const text of properties) expect(text).toContain('propertyRuns()');
});
