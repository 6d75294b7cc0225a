/**
 * The worked examples of the domain, checked and shown: each line is a value that the code computed next to the one worked out by hand.
 * The reporter prints them as tables when the suite is over. Tests only.
 */
import { expect } from 'vitest';
import type { TestContext } from 'vitest';

export interface ExampleRow {
  /** For example `EX-3`. */
  readonly example: string;
  readonly what: string;
  readonly expected: string;
  readonly got: string;
}

declare module 'vitest' {
  interface TaskMeta {
    examples?: ExampleRow[];
  }
}

/** Checks values of one example and keeps them for the report. */
export class Example {
  readonly #name: string;
  readonly #rows: ExampleRow[];

  constructor(name: string, { task }: TestContext) {
    this.#name = name;
    task.meta.examples ??= [];
    this.#rows = task.meta.examples;
  }

  /** The same, to the last digit; floats to the digits that `expected` is written with. */
  is(what: string, expected: number | bigint | string, got: number | bigint | string | undefined): void {
    this.#rows.push({ example: this.#name, what, expected: String(expected), got: String(got) });
    if (typeof expected === 'number' && typeof got === 'number' && !Number.isInteger(expected))
      expect(got, `${this.#name} ${what}`).toBeCloseTo(expected, digitsOf(expected));
    else expect(got, `${this.#name} ${what}`).toBe(expected);
  }
}

function digitsOf(value: number): number {
  return (String(value).split('.')[1] ?? '').length;
}

/** Returns the tables, examples in their order. */
export function exampleLines(rows: readonly ExampleRow[]): readonly string[] {
  const numberOf = ({ example }: ExampleRow): number => Number(/\d+/.exec(example)?.[0] ?? 0);
  const sorted = rows.toSorted((one, other) => numberOf(one) - numberOf(other));
  const cells = [
    ['example', 'what', 'by hand', 'computed'] as const,
    ...sorted.map(({ example, what, expected, got }) => [example, what, expected, got] as const),
  ];
  const widths = [0, 1, 2, 3].map((at) => Math.max(...cells.map((row) => (row[at] ?? '').length)));
  return [
    'worked examples',
    ...cells.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd()),
  ];
}
