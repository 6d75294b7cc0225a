/** A line chart over time on uPlot, as wide as its place and of a fixed height, so that nothing moves when it appears. Browser. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { clock } from './text.ts';

export interface Series {
  readonly name: string;
  /** A custom property of the style sheet, such as `--good`. */
  readonly colour: string;
}

export interface ChartProps {
  readonly label: string;
  readonly series: readonly Series[];
  /** Calendar ms, then one list per series; null where there is no point. */
  readonly points: readonly [readonly number[], ...(readonly (readonly (number | null)[])[])];
  readonly format: (value: number) => string;
  readonly height?: number;
}

const HEIGHT = 180;

export function Chart(props: ChartProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const height = props.height ?? HEIGHT;
  const names = props.series.map(({ name }) => name).join('|');
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const style = getComputedStyle(element);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const axis = { stroke: colour('--dim'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
    const format = (value: number | null): string => (value === null ? '–' : latest.current.format(value));
    plot.current = new uPlot(
      {
        width: Math.max(200, element.clientWidth),
        height,
        ms: 1,
        cursor: { drag: { x: false, y: false } },
        axes: [
          { ...axis, space: 90, values: (_, times) => times.map(clock) },
          { ...axis, size: 64, values: (_, values) => values.map(format) },
        ],
        series: [
          { label: 'UTC', value: (_, atMs) => clock(atMs ?? undefined) },
          ...latest.current.series.map((one) => ({
            label: one.name,
            stroke: colour(one.colour),
            width: 1.5,
            points: { show: false },
            value: (_: uPlot, value: number | null) => format(value),
          })),
        ],
      },
      dataOf(latest.current),
      element,
    );
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [names, height]);
  useEffect(() => plot.current?.setData(dataOf(props)));
  const isEmpty = props.points[0].length === 0;
  return (
    <figure class="chart" role="img" aria-label={`${props.label}: ${describe(props)}`}>
      <div ref={place} style={{ height: `${height + 32}px` }} />
      {isEmpty ? <figcaption class="empty">no points yet</figcaption> : null}
    </figure>
  );
}

function dataOf({ points }: ChartProps): uPlot.AlignedData {
  const [times, ...values] = points;
  return [[...times], ...values.map((list) => [...list])];
}

/** What somebody who does not see the lines is told. */
function describe({ series, points, format }: ChartProps): string {
  return series
    .map(({ name }, at) => {
      const last = points[at + 1]?.findLast((value) => value !== null);
      return `${name} ${last === undefined || last === null ? 'no points yet' : format(last)}`;
    })
    .join(', ');
}
