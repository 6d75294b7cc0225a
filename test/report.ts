/** The suite's own reporter: the worked examples as tables, after the last test. Main process of the suite. */
import type { Reporter, TestModule } from 'vitest/node';
import { exampleLines } from './examples.ts';
import type { ExampleRow } from './examples.ts';

export default class ExampleReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows: ExampleRow[] = [];
    for (const module of modules)
      for (const test of module.children.allTests()) rows.push(...(test.meta().examples ?? []));
    if (rows.length > 0) process.stdout.write(`${exampleLines(rows).join('\n')}\n`);
  }
}
