import { beforeAll, describe, expect, it } from 'vitest';
import { lintPlanted } from './planted.ts';
import type { Complaint } from './planted.ts';

const forbidden: readonly (readonly [file: string, rule: string, source: string])[] = [
  ['src/cli/any.ts', 'no-explicit-any', 'export const loose = (value: any): unknown => value;'],
  ['src/cli/bang.ts', 'no-non-null-assertion', 'export const first = (rows: readonly string[]): string => rows[0]!;'],
  [
    'src/cli/floating.ts',
    'no-floating-promises',
    'async function save(): Promise<void> {}\nexport function act(): void {\n  save();\n}',
  ],
  [
    'src/cli/misused.ts',
    'no-misused-promises',
    'export const act = (rows: string[]): void => rows.forEach(async (row) => void row.trim());',
  ],
  [
    'src/cli/switch.ts',
    'switch-exhaustiveness-check',
    "export function act(kind: 'a' | 'b'): number {\n  switch (kind) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n}",
  ],
];

describe('the type-aware rules', () => {
  let complaints: readonly Complaint[] = [];
  beforeAll(async () => {
    complaints = await lintPlanted(Object.fromEntries(forbidden.map(([file, , source]) => [file, `${source}\n`])));
  });

  it.each(forbidden)('refuse in %s what %s forbids', (file, rule) => {
    expect(complaints.filter((complaint) => complaint.file === file).map((complaint) => complaint.rule)).toContain(
      `typescript(${rule})`,
    );
  });
});
