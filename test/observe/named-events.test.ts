/** The log events that are promised by name: each is written by the code, and a test somewhere waits for it. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const README = join(ROOT, 'src', 'observe', 'README.md');

function textOf(patterns: readonly string[]): string {
  const files = globSync([...patterns], { cwd: ROOT }).filter((file) => !file.endsWith('named-events.test.ts'));
  return files.map((file) => readFileSync(join(ROOT, file), 'utf8')).join('\n');
}

/** The first column of the table under "The log". */
function promised(): readonly string[] {
  const [, section = ''] = /\n## The log\n(.*?)\n## /s.exec(readFileSync(README, 'utf8')) ?? [];
  const cells = section.split('\n').flatMap((line) => /^\| (`.*`) \|/.exec(line)?.[1] ?? []);
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, event = '']) => event));
}

describe('the events of the log that are promised by name', () => {
  const code = textOf(['src/**/*.ts', 'actors/**/*.ts']);
  const tests = textOf(['test/**/*.ts']);

  it('are those of the venues and of the domain, and more', () => {
    expect(promised()).toEqual(
      expect.arrayContaining([
        ...['cache.hit_rate', 'api.batching', 'concurrency.limit', 'monitors.cycle'],
        ...['late-fill', 'external-exposure', 'margin-transfer-advised', 'funding-unit-judged', 'leg-reduced'],
      ]),
    );
  });

  it.each(promised())('%s', (event) => {
    // Circuits and alerts have an event for each state, made of its name.
    const [, made] = /^(circuit|alert)-/.exec(event) ?? [];
    const written = made === undefined ? `'${event}'` : `\`${made}-\${`;
    expect(code.includes(written), `${event} is written`).toBe(true);
    expect(tests.includes(event), `${event} is waited for by a test`).toBe(true);
  });
});
