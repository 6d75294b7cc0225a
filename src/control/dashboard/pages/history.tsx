/** The last points of some metrics as lines over time. Browser. */
import type { JSX } from 'preact';
import { Chart } from '../chart.tsx';
import { usePoll } from '../session.ts';

interface Line {
  readonly metric: string;
  readonly name: string;
  readonly colour: string;
}

/** What `GET /debug/metrics?name=` answers. */
interface MetricHistory {
  readonly series: readonly {
    readonly labels: Readonly<Record<string, string>>;
    /** Calendar ms and value, oldest first. */
    readonly points: readonly (readonly [number, number])[];
  }[];
}

const COLOURS = ['--accent', '--good', '--warn', '--violet', '--bad', '--dim'];

export function History(props: {
  readonly label: string;
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  /** Draws one line per value of this label instead of one per metric. */
  readonly isPerLabel?: string;
}): JSX.Element {
  const { lines, isPerLabel } = props;
  const query = lines.map(({ metric }) => `name=${metric}`).join('&');
  const { data } = usePoll<Readonly<Record<string, MetricHistory>>>(`/debug/metrics?${query}`, 2_000);
  const drawn = lines.flatMap((line) => {
    const series = data?.[line.metric]?.series ?? [];
    if (isPerLabel === undefined) return [{ ...line, points: series[0]?.points ?? [] }];
    return series.map(({ labels, points }, at) => ({
      name: labels[isPerLabel] ?? line.name,
      colour: COLOURS[at % COLOURS.length] ?? line.colour,
      points,
    }));
  });
  const times = [...new Set(drawn.flatMap(({ points }) => points.map(([atMs]) => atMs)))].sort((a, b) => a - b);
  const values = drawn.map(({ points }) => {
    const byTime = new Map(points);
    return times.map((atMs) => byTime.get(atMs) ?? null);
  });
  return <Chart label={props.label} series={drawn} points={[times, ...values]} format={props.format} />;
}
