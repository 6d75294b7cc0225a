import { describe, expect, it } from 'vitest';
import { readLines, withResults } from '../../bench/write-readme.ts';

const readme = '# Bench\n\n<!-- results: written by write-readme.ts -->\nold\n<!-- end of results -->\n\nend\n';
const line = (fields: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({
    bench: 'ping',
    metric: 'latency p50',
    value: 1_234.5,
    unit: 'us',
    runs: 5,
    spread: 0.4217,
    topology: '1 -> 1',
    node: '24.21.0',
    cores: 2,
    commit: 'abc1234',
    ...fields,
  });

describe('the results in the README', () => {
  it('are replaced by the lines of a run, everything around them kept', () => {
    const lines = readLines(
      `${line({ baseline: { name: 'postMessage', value: 20 }, ratio: 61.725 })}\n\n${line({ metric: 'messages', unit: '1/s', value: 12.346 })}\n`,
    );
    expect(withResults(readme, lines)).toBe(
      [
        '# Bench',
        '',
        '<!-- results: written by write-readme.ts -->',
        '',
        '### ping',
        '',
        'Node 24.21.0, 2 cores, commit abc1234.',
        '',
        '1 -> 1:',
        '',
        '| metric | unit | value | spread | runs | baseline: postMessage | value / baseline |',
        '| --- | --- | ---: | ---: | ---: | ---: | ---: |',
        '| latency p50 | us | 1,235 | 0.422 | 5 | 20 | 61.73 |',
        '| messages | 1/s | 12.3 | 0.422 | 5 |  |  |',
        '',
        '<!-- end of results -->',
        '',
        'end',
        '',
      ].join('\n'),
    );
  });

  it('of benchmarks that did not run are kept, all in order of their names', () => {
    const first = withResults(
      readme,
      readLines(`${line({ bench: 'b', value: 1 })}\n${line({ bench: 'd', value: 2 })}`),
    );
    const second = withResults(first, readLines([line({ bench: 'c' }), line({ bench: 'd', value: 3 })].join('\n')));
    expect(second.match(/^### .*/gm)).toEqual(['### b', '### c', '### d']);
    expect(second).toContain('| latency p50 | us | 1 |');
    expect(second).toContain('| latency p50 | us | 3 |');
    expect(second).not.toContain('| latency p50 | us | 2 |');
    expect(withResults(second, [])).toBe(second);
  });

  it('come from the newest line of each metric', () => {
    const text = withResults(readme, readLines(`${line({ value: 1 })}\n${line({ value: 2 })}`));
    expect(text).toContain('| latency p50 | us | 2 |');
    expect(text).not.toContain('| latency p50 | us | 1 |');
  });

  it('name the baseline of each topology', () => {
    const text = withResults(
      readme,
      readLines(
        [
          line({ baseline: { name: 'postMessage', value: 20 } }),
          line({ metric: 'alone', topology: '2 -> 1' }),
          line({ metric: 'beside', topology: '2 -> 1', baseline: { name: 'plain calls', value: 7 } }),
        ].join('\n'),
      ),
    );
    expect(text.match(/baseline: [^|]+(?= \|)/g)).toEqual(['baseline: postMessage', 'baseline: plain calls']);
  });

  it('stand beside their targets, which are on the value or on the ratio', () => {
    const ratio = { of: 'ratio', is: 'at least', need: 1, aim: 3 };
    const value = { of: 'value', is: 'at most', need: 5_000, aim: 400 };
    const baseline = { name: 'Erlang', value: 20 };
    const text = withResults(
      readme,
      readLines(
        [
          line({ metric: 'far', baseline, ratio: 3.5, target: ratio }),
          line({ metric: 'near', baseline, ratio: 1, target: ratio }),
          line({ metric: 'behind', baseline, ratio: 0.99, target: ratio }),
          line({ metric: 'slow', value: 5_001, target: value }),
          line({ metric: 'quick', value: 400, target: value }),
          line({ metric: 'alone' }),
          line({ metric: 'nobody beside it', target: ratio }),
        ].join('\n'),
      ),
    );
    const lastCells = (metric: string): readonly string[] | undefined =>
      text
        .split('\n')
        .find((row) => row.startsWith(`| ${metric} |`))
        ?.split('|')
        .slice(-3, -1)
        .map((cell) => cell.trim());
    expect(lastCells('metric')).toEqual(['target', 'outcome']);
    expect(lastCells('far')).toEqual(['at least 1x, aim 3x', 'aim reached']);
    expect(lastCells('near')).toEqual(['at least 1x, aim 3x', 'reached']);
    expect(lastCells('behind')).toEqual(['at least 1x, aim 3x', 'missed']);
    expect(lastCells('slow')).toEqual(['at most 5,000 us, aim 400 us', 'missed']);
    expect(lastCells('quick')).toEqual(['at most 5,000 us, aim 400 us', 'aim reached']);
    expect(lastCells('alone')).toEqual(['', '']);
    expect(lastCells('nobody beside it')).toEqual(['at least 1x, aim 3x', '']);
  });

  it('name each baseline in its row where a table has several, and keep their notes', () => {
    const text = withResults(
      readme,
      readLines(
        [
          line({
            metric: 'first',
            baseline: { name: 'nact', value: 20 },
            ratio: 2,
            note: 'Erlang: skipped, erl is not installed',
          }),
          line({ metric: 'second', baseline: { name: 'comedy', value: 7_000 }, ratio: 3 }),
        ].join('\n'),
      ),
    );
    expect(text).toContain('| runs | baseline | value / baseline |');
    expect(text).toContain('| nact: 20 | 2.00 |');
    expect(text).toContain('| comedy: 7,000 | 3.00 |');
    expect(text).toContain('|\n\n- first: Erlang: skipped, erl is not installed\n\n<!--');
  });

  it('need lines of the bench command', () => {
    expect(() => readLines(`${line({})}\n{"bench":"ping"}`)).toThrow('line 2 must be a line of tandem bench --json');
  });

  it('need their marks in the text', () => {
    expect(() => withResults('# Bench\n', [])).toThrow('the text must contain');
  });
});
