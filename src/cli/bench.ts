/** `tandem bench`: finds the files under bench/ and runs them one after the other. Main thread only. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { targetOutcome, targetText, type BenchModule, type BenchResult } from '../../bench/result.ts';
import { CommandFailure, EXIT } from './command-failure.ts';

const PROJECT = join(import.meta.dirname, '..', '..');

interface BenchCommandOptions {
  readonly json?: true;
  readonly list?: true;
}

export function register(program: Command): void {
  program
    .command('bench')
    .description('run the named benchmarks in the order given, or all')
    .argument('[names...]', 'benchmarks, the names of their files')
    .option('--json', 'print one JSON object per line')
    .option('--list', 'only print the names')
    .action(runBenchmarks);
}

async function runBenchmarks(names: readonly string[], options: BenchCommandOptions): Promise<void> {
  const files = benchFiles(join(PROJECT, 'bench'));
  const chosen = chosenBenches(files, names);
  if (options.list === true) {
    for (const known of files.keys()) process.stdout.write(`${known}\n`);
    return;
  }
  const machine = { node: process.versions.node, cores: availableParallelism(), commit: currentCommit() };
  for (const [bench, file] of chosen) {
    const progress = (text: string): void => void process.stderr.write(`${bench}: ${text}\n`);
    for await (const line of benchLines(bench, file, { json: options.json === true, machine, progress })) {
      process.stdout.write(`${line}\n`);
    }
  }
}

/** Returns the named benchmarks with their files, each once, in the order named; all when none is. Throws CommandFailure for an unknown name. */
export function chosenBenches(
  files: ReadonlyMap<string, string>,
  names: readonly string[],
): readonly (readonly [bench: string, file: string])[] {
  if (names.length === 0) return [...files];
  return [...new Set(names)].map((name) => {
    const file = files.get(name);
    if (file !== undefined) return [name, file];
    throw new CommandFailure(`benchmark must be one of ${[...files.keys()].join(', ')}, was "${name}"`, EXIT.usage);
  });
}

interface LineOptions {
  readonly json: boolean;
  /** Added to every JSON line. */
  readonly machine: { readonly node: string; readonly cores: number; readonly commit: string };
  readonly progress: (text: string) => void;
}

/** Loads and runs one benchmark; gives one line per result as it comes. Throws when the file is no benchmark of that name. */
export async function* benchLines(bench: string, file: string, options: LineOptions): AsyncGenerator<string> {
  const module = await importBench(file, bench);
  for await (const result of await module.run({ progress: options.progress })) {
    yield options.json ? JSON.stringify({ bench, ...result, ...options.machine }) : describeResult(bench, result);
  }
}

/**
 * Returns the benchmarks by name, in order of their names. A file is one when it says `export const name =`: what they
 * share lies beside them, and nothing is loaded before it is run.
 */
export function benchFiles(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file, 'utf8').includes('export const name ='));
  const byName = new Map<string, string>();
  for (const file of files) {
    const name = basename(file, '.ts');
    const other = byName.get(name);
    if (other !== undefined) throw new Error(`benchmark names must be unique, "${name}" is both ${other} and ${file}`);
    byName.set(name, file);
  }
  return new Map([...byName].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function importBench(file: string, bench: string): Promise<BenchModule> {
  const module: unknown = await import(pathToFileURL(file).href);
  if (!isBenchModule(module) || module.name !== bench) {
    throw new Error(`${file} must export name ("${bench}") and run`);
  }
  return module;
}

function isBenchModule(module: unknown): module is BenchModule {
  return (
    typeof module === 'object' &&
    module !== null &&
    'run' in module &&
    typeof module.run === 'function' &&
    'name' in module
  );
}

function describeResult(bench: string, result: BenchResult): string {
  const against =
    result.baseline === undefined
      ? ''
      : `, ${result.baseline.name} ${shorten(result.baseline.value)} ${result.unit}` +
        (result.ratio === undefined ? '' : ` (x ${shorten(result.ratio)})`);
  const spread = `+-${shorten(result.spread / 2)} over ${result.runs} runs`;
  const outcome = targetOutcome(result);
  const target =
    result.target === undefined || outcome === undefined
      ? ''
      : `, ${targetText(result.target, result.unit, shorten)}: ${outcome}`;
  const note = result.note === undefined ? '' : ` (${result.note})`;
  return `${bench}  ${result.metric} ${shorten(result.value)} ${result.unit} ${spread}${against}${target}  [${result.topology}]${note}`;
}

function shorten(value: number): string {
  return Math.abs(value) >= 1_000 ? String(Math.round(value)) : String(Number(value.toPrecision(4)));
}

function currentCommit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: PROJECT, stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  } catch {
    // A copy without its history still measures.
    return 'unknown';
  }
}
