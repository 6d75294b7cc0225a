import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { benchFiles, benchLines, chosenBenches } from '../../src/cli/bench.ts';

function benchFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'runtime'));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
  return folder;
}

const oneResult = `
export const name = 'ping';
export async function* run(options: { progress: (text: string) => void }) {
  options.progress('measuring');
  yield {
    metric: 'latency p50', value: 3.2, unit: 'us', runs: 5, spread: 0.4,
    baseline: { name: 'postMessage', value: 20 }, ratio: 0.16, topology: '1 -> 1, 2 threads',
  };
}
`;
const machine = { node: '24.21.0', cores: 2, commit: 'abc1234' };

async function collect(lines: AsyncIterable<string>): Promise<readonly string[]> {
  const collected: string[] = [];
  for await (const line of lines) collected.push(line);
  return collected;
}

describe('the files of benchmarks', () => {
  it('are found by name in every area, what they share left out', () => {
    const folder = benchFolder({
      'zeta.ts': "export const name = 'zeta';",
      'runtime/alpha.ts': "export const name = 'alpha';",
      'result.ts': 'export interface BenchResult {}',
      'notes.md': 'export const name = ',
    });
    expect([...benchFiles(folder)]).toEqual([
      ['alpha', join(folder, 'runtime', 'alpha.ts')],
      ['zeta', join(folder, 'zeta.ts')],
    ]);
  });

  it('must not share a name', () => {
    const folder = benchFolder({ 'ping.ts': oneResult, 'runtime/ping.ts': oneResult });
    expect(() => benchFiles(folder)).toThrow('benchmark names must be unique, "ping" is both');
  });
});

describe('the benchmarks that are run', () => {
  const files = new Map([
    ['alpha', '/bench/alpha.ts'],
    ['beta', '/bench/beta.ts'],
    ['zeta', '/bench/zeta.ts'],
  ]);

  it.each([
    ['all when none is named', [], ['alpha', 'beta', 'zeta']],
    ['the one that is named', ['beta'], ['beta']],
    ['those that are named, in that order', ['zeta', 'alpha'], ['zeta', 'alpha']],
    ['each once', ['zeta', 'alpha', 'zeta'], ['zeta', 'alpha']],
  ])('are %s', (_, names, chosen) => {
    expect(chosenBenches(files, names)).toEqual(chosen.map((name) => [name, `/bench/${name}.ts`]));
  });

  it('are none when one of the names is unknown', () => {
    expect(() => chosenBenches(files, ['beta', 'gamma'])).toThrow(
      'benchmark must be one of alpha, beta, zeta, was "gamma"',
    );
  });
});

describe('the lines of a benchmark', () => {
  it('are complete JSON objects for machines', async () => {
    const file = join(benchFolder({ 'ping.ts': oneResult }), 'ping.ts');
    const said: string[] = [];
    const lines = await collect(benchLines('ping', file, { json: true, machine, progress: (text) => said.push(text) }));
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      {
        bench: 'ping',
        metric: 'latency p50',
        value: 3.2,
        unit: 'us',
        runs: 5,
        spread: 0.4,
        baseline: { name: 'postMessage', value: 20 },
        ratio: 0.16,
        topology: '1 -> 1, 2 threads',
        ...machine,
      },
    ]);
    expect(said).toEqual(['measuring']);
  });

  it('are sentences for people', async () => {
    const file = join(benchFolder({ 'ping.ts': oneResult }), 'ping.ts');
    expect(await collect(benchLines('ping', file, { json: false, machine, progress: () => {} }))).toEqual([
      'ping  latency p50 3.2 us +-0.2 over 5 runs, postMessage 20 us (x 0.16)  [1 -> 1, 2 threads]',
    ]);
  });

  it('say whether a target was reached, and what must be known', async () => {
    const text = oneResult.replace(
      'topology:',
      "target: { of: 'ratio', is: 'at most', need: 0.5, aim: 0.1 }, note: 'quiet machine', topology:",
    );
    const file = join(benchFolder({ 'ping.ts': text }), 'ping.ts');
    expect(await collect(benchLines('ping', file, { json: false, machine, progress: () => {} }))).toEqual([
      'ping  latency p50 3.2 us +-0.2 over 5 runs, postMessage 20 us (x 0.16), at most 0.5x, aim 0.1x: reached  ' +
        '[1 -> 1, 2 threads] (quiet machine)',
    ]);
  });

  it('do not come from a file whose name is not its own', async () => {
    const file = join(benchFolder({ 'pong.ts': oneResult }), 'pong.ts');
    await expect(collect(benchLines('pong', file, { json: true, machine, progress: () => {} }))).rejects.toThrow(
      'must export name ("pong") and run',
    );
  });
});
