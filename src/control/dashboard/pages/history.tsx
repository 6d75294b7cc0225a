/** The last points of some metrics as lines over time: what the engine kept, then each new point as it comes. Browser. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Chart } from '../chart.tsx';
import { listen } from '../live.ts';
import { get } from '../session.ts';
import type { HistoryAnswer } from '../wire.ts';

export interface HistoryLine {
  readonly metric: string;
  /** What the line is called; with `perLabel` the label's value is. */
  readonly name: string;
  readonly colour: string;
  /** One line for each value of this label instead of the sum of all series. */
  readonly perLabel?: string;
}

type Points = ReadonlyMap<number, number>;
/** By the name of a line. */
type Lines = ReadonlyMap<string, Points>;

const COLOURS = ['--accent', '--good', '--warn', '--violet', '--bad', '--dim'];
const POINTS_MAX = 1_000;
/** Of distributions. */
const QUANTILE = '0.99';

export function History(props: {
  readonly label: string;
  readonly lines: readonly HistoryLine[];
  readonly format: (value: number) => string;
}): JSX.Element {
  const [drawn, setDrawn] = useState<Lines>(new Map());
  const wanted = props.lines.map(({ metric, perLabel }) => `${metric} ${perLabel ?? ''}`).join('|');
  useEffect(() => {
    setDrawn(new Map());
    const ends = props.lines.map((line) => follow(line, (added) => setDrawn((known) => joined(known, added))));
    return () => {
      for (const end of ends) end();
    };
  }, [wanted]);
  const names = [...drawn.keys()].toSorted();
  const times = [...new Set(names.flatMap((name) => [...(drawn.get(name)?.keys() ?? [])]))].toSorted((a, b) => a - b);
  const series =
    names.length === 0
      ? props.lines.map(({ name, colour }) => ({ name, colour }))
      : names.map((name, at) => ({ name, colour: colourOf(props.lines, name, at) }));
  const values = series.map(({ name }) => times.map((atMs) => drawn.get(name)?.get(atMs) ?? null));
  return <Chart label={props.label} series={series} points={[times, ...values]} format={props.format} />;
}

/** Tells the points there are, then each new one. Returns how to stop. */
function follow(line: HistoryLine, tell: (added: Lines) => void): () => void {
  let isOver = false;
  const nameOf = (labels: Readonly<Record<string, string>>): string =>
    line.perLabel === undefined ? line.name : (labels[line.perLabel] ?? line.name);
  get<HistoryAnswer>(`/debug/metrics?name=${line.metric}&hours=0`).then(
    ({ series }) => {
      if (isOver) return;
      for (const { labels, points } of series) {
        const told = points.map((point) => [secondOf(point.atMs), 'value' in point ? point.value : point.p99] as const);
        tell(new Map([[nameOf(labels), new Map(told)]]));
      }
    },
    // What is kept may not be there yet; new points come all the same.
    () => undefined,
  );
  const end = listen(line.metric, ({ timestamp, value, labels }) => {
    if (labels['quantile'] !== undefined && labels['quantile'] !== QUANTILE) return;
    tell(new Map([[nameOf(labels), new Map([[secondOf(timestamp), value]])]]));
  });
  return () => {
    isOver = true;
    end();
  };
}

/** Several series of one line meet in the same second: the largest is what matters. */
function joined(known: Lines, added: Lines): Lines {
  const lines = new Map(known);
  for (const [name, points] of added) {
    const own = new Map(lines.get(name));
    for (const [atMs, value] of points) own.set(atMs, Math.max(own.get(atMs) ?? Number.NEGATIVE_INFINITY, value));
    const times = [...own.keys()].toSorted((a, b) => a - b);
    lines.set(name, new Map(times.slice(-POINTS_MAX).map((atMs) => [atMs, own.get(atMs) ?? 0])));
  }
  return lines;
}

function secondOf(atMs: number): number {
  return Math.floor(atMs / 1_000) * 1_000;
}

function colourOf(lines: readonly HistoryLine[], name: string, at: number): string {
  return lines.find((line) => line.name === name)?.colour ?? COLOURS[at % COLOURS.length] ?? '--accent';
}
