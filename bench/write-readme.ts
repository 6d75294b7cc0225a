/**
 * Writes the results in bench/README.md from the JSON lines of a run, so that no number is ever typed by hand.
 *
 *   npx tandem bench --json | node bench/write-readme.ts
 *
 * Lines of several runs may be given one after the other; the newest of a benchmark's metric wins. Benchmarks without a line
 * keep what they have.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { targetOutcome, targetText, type BenchResult } from './result.ts';

/** One line of `tandem bench --json`. */
export type BenchLine = BenchResult & {
  readonly bench: string;
  readonly node: string;
  readonly cores: number;
  readonly commit: string;
};

const README = join(import.meta.dirname, 'README.md');
const BEGIN = '<!-- results: written by write-readme.ts -->';
const END = '<!-- end of results -->';

/** Returns the text with the sections of these results between its two marks replaced or added. Throws when a mark is missing. */
export function withResults(readme: string, lines: readonly BenchLine[]): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the text must contain "${BEGIN}" and behind it "${END}"`);
  const sections = new Map([...sectionsOf(readme.slice(begin + BEGIN.length, end)), ...sectionsOf(resultsText(lines))]);
  const text = [...sections].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, section]) => section);
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${text.join('\n')}\n${readme.slice(end)}`;
}

/** Returns the sections by the name in their headings, each with one line feed at its end. */
function sectionsOf(text: string): ReadonlyMap<string, string> {
  const sections = text.split(/^(?=### )/m).filter((section) => section.startsWith('### '));
  return new Map(sections.map((section) => [/^### (.*)$/m.exec(section)?.[1] ?? '', `${section.trim()}\n`]));
}

/** Reads JSON lines. Throws on a line that is no result, with its number. */
export function readLines(text: string): readonly BenchLine[] {
  return text
    .split('\n')
    .map((line, index) => [line.trim(), index + 1] as const)
    .filter(([line]) => line !== '')
    .map(([line, number]) => {
      const value: unknown = JSON.parse(line);
      if (!isBenchLine(value))
        throw new Error(`line ${number} must be a line of tandem bench --json, was ${line.slice(0, 80)}`);
      return value;
    });
}

function isBenchLine(value: unknown): value is BenchLine {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  const texts = ['bench', 'metric', 'unit', 'topology', 'node', 'commit'];
  const numbers = ['value', 'runs', 'spread', 'cores'];
  return (
    texts.every((name) => typeof fields.get(name) === 'string') &&
    numbers.every((name) => typeof fields.get(name) === 'number')
  );
}

function resultsText(lines: readonly BenchLine[]): string {
  const byBench = new Map<string, Map<string, BenchLine>>();
  for (const line of lines) {
    const metrics = byBench.get(line.bench) ?? new Map<string, BenchLine>();
    metrics.set(line.metric, line);
    byBench.set(line.bench, metrics);
  }
  return [...byBench].map(([bench, metrics]) => benchText(bench, [...metrics.values()])).join('\n');
}

function benchText(bench: string, lines: readonly BenchLine[]): string {
  const [first] = lines;
  if (first === undefined) return '';
  const machine = `Node ${first.node}, ${first.cores} cores, commit ${first.commit}`;
  const topologies = new Set(lines.map((line) => line.topology));
  const parts = [...topologies].map((topology) => {
    const shown = lines.filter((line) => line.topology === topology);
    const notes = shown.flatMap(({ metric, note }) => (note === undefined ? [] : [`- ${metric}: ${note}`]));
    return `${topology}:\n\n${tableText(shown)}\n${notes.length === 0 ? '' : `\n${notes.join('\n')}\n`}`;
  });
  return `### ${bench}\n\n${machine}.\n\n${parts.join('\n')}`;
}

/** One row per result. A baseline all rows share is named in the head; targets have columns where there are any. */
function tableText(lines: readonly BenchLine[]): string {
  const names = new Set(lines.flatMap(({ baseline }) => (baseline === undefined ? [] : [baseline.name])));
  const [shared] = names.size === 1 ? names : [];
  const hasTargets = lines.some(({ target }) => target !== undefined);
  const head = [
    ...['metric', 'unit', 'value', 'spread', 'runs', shared === undefined ? 'baseline' : `baseline: ${shared}`],
    ...['value / baseline', ...(hasTargets ? ['target', 'outcome'] : [])],
  ];
  const rule = ['---', '---', '---:', '---:', '---:', '---:', '---:', ...(hasTargets ? ['---', '---'] : [])];
  const rows = lines.map((line) => cells(line, shared === undefined, hasTargets));
  return [head, rule, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function cells(line: BenchLine, namesBaseline: boolean, hasTargets: boolean): readonly string[] {
  const { metric, unit, value, spread, runs, baseline, ratio, target } = line;
  const named = baseline === undefined ? '' : `${namesBaseline ? `${baseline.name}: ` : ''}${shorten(baseline.value)}`;
  const measured = [metric, unit, shorten(value), shorten(spread), String(runs), named, ratio?.toFixed(2) ?? ''];
  if (!hasTargets) return measured;
  return [...measured, target === undefined ? '' : targetText(target, unit, shorten), targetOutcome(line) ?? ''];
}

/** Three digits that mean something, thousands apart. */
function shorten(value: number): string {
  const rounded = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
  const [whole = '', fraction] = String(rounded).split('.');
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

if (import.meta.main) {
  writeFileSync(README, withResults(readFileSync(README, 'utf8'), readLines(readFileSync(0, 'utf8'))));
}
