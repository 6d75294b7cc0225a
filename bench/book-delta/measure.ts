/** Feeds book frames to a stream and times each until its best prices are known, and works out the results. Main thread. */
import type { VenueStream } from '../../src/venues/venue.ts';
import { median, percentile, spreadOf } from '../distribution.ts';
import type { BenchResult, BenchTarget } from '../result.ts';
import { bookFeeds } from './frames.ts';
import type { BookFeed } from './frames.ts';

export interface Measurement {
  readonly runs: number;
  /** Changes measured in a run, the frames again and again. */
  readonly framesPerRun: number;
  /** Different frames of each feed. */
  readonly frames: number;
}

const BASELINE = 'JSON.parse alone';
const P50: BenchTarget = { of: 'value', is: 'at most', need: 8 };
const P99: BenchTarget = { of: 'value', is: 'at most', need: 20 };
const RATE: BenchTarget = { of: 'value', is: 'at least', need: 120_000 };
const NS_PER_US = 1_000;
const NS_PER_SECOND = 1e9;
/** Before the venue's own times: no frame is too old. */
const AT = { calendarMs: Date.UTC(2020, 0, 1), monotonicMs: 1_000 } as const;

interface Run {
  readonly each: Float64Array;
  /** The same frames without a clock between them. */
  readonly totalNs: number;
}

export function measure(
  { runs, framesPerRun, frames }: Measurement,
  progress: (text: string) => void,
): readonly BenchResult[] {
  return bookFeeds(frames).flatMap((feed) => {
    progress(`${feed.name}: ${feed.texts.length} frames`);
    follow(feed, framesPerRun);
    parse(feed, framesPerRun);
    const followed = Array.from({ length: runs }, () => follow(feed, framesPerRun));
    const parsed = Array.from({ length: runs }, () => parse(feed, framesPerRun));
    return resultsOf(feed, framesPerRun, followed, parsed);
  });
}

function resultsOf(feed: BookFeed, count: number, runs: readonly Run[], floor: readonly Run[]): readonly BenchResult[] {
  const bytes = feed.texts.slice(1).reduce((sum, text) => sum + text.length, 0) / (feed.texts.length - 1);
  const topology = `one stream, one thread, ${count} changes per run, ${Math.round(bytes)} characters each`;
  const result = (metric: string, unit: string, target: BenchTarget, pick: (run: Run) => number): BenchResult => {
    const values = runs.map(pick);
    const [value, baseline] = [median(values), median(floor.map(pick))];
    const measured = { metric: `${feed.name}: ${metric}`, value, unit, runs: values.length, spread: spreadOf(values) };
    return { ...measured, topology, target, baseline: { name: BASELINE, value: baseline }, ratio: value / baseline };
  };
  return [
    result('p50', 'us', P50, ({ each }) => percentile(each, 0.5) / NS_PER_US),
    result('p99', 'us', P99, ({ each }) => percentile(each, 0.99) / NS_PER_US),
    result('changes', '1/s', RATE, ({ totalNs }) => (count * NS_PER_SECOND) / totalNs),
  ];
}

/** The whole way: text in, best prices out. Throws when a book is lost or a change says nothing. */
function follow(feed: BookFeed, count: number): Run {
  const each = new Float64Array(count);
  let stream = started(feed);
  let at = 1;
  for (let change = 0; change < count; change++) {
    const text = feed.texts[at] ?? '';
    const startedAt = process.hrtime.bigint();
    stream.frame(feed.socketKey, text, AT);
    const top = stream.book(feed.symbol);
    each[change] = Number(process.hrtime.bigint() - startedAt);
    if (top === undefined)
      throw new Error(`${feed.name} must be followed, was lost at frame ${at}: ${text.slice(0, 200)}`);
    at += 1;
    if (at < feed.texts.length) continue;
    stream = started(feed);
    at = 1;
  }
  return { each, totalNs: unclocked(feed, count) };
}

function unclocked(feed: BookFeed, count: number): number {
  let totalNs = 0;
  let left = count;
  let seen = 0;
  while (left > 0) {
    const stream = started(feed);
    const texts = feed.texts.slice(1, 1 + left);
    const startedAt = process.hrtime.bigint();
    for (const text of texts) {
      stream.frame(feed.socketKey, text, AT);
      seen += stream.book(feed.symbol)?.bids[0]?.[0] ?? 0;
    }
    totalNs += Number(process.hrtime.bigint() - startedAt);
    left -= texts.length;
  }
  if (seen === 0) throw new Error(`${feed.name} must have best prices`);
  return totalNs;
}

function started(feed: BookFeed): VenueStream {
  const stream = feed.freshStream();
  stream.frame(feed.socketKey, feed.texts[0] ?? '', AT);
  if (stream.book(feed.symbol) === undefined) throw new Error(`${feed.name} must begin with its whole book`);
  return stream;
}

function parse(feed: BookFeed, count: number): Run {
  const each = new Float64Array(count);
  const texts = feed.texts.slice(1);
  let seen = 0;
  for (let change = 0; change < count; change++) {
    const text = texts[change % texts.length] ?? '';
    const startedAt = process.hrtime.bigint();
    const parsed: unknown = JSON.parse(text);
    each[change] = Number(process.hrtime.bigint() - startedAt);
    if (parsed !== null) seen += 1;
  }
  const startedAt = process.hrtime.bigint();
  for (let change = 0; change < count; change++) if (JSON.parse(texts[change % texts.length] ?? '') !== null) seen += 1;
  const totalNs = Number(process.hrtime.bigint() - startedAt);
  if (seen !== 2 * count) throw new Error(`${feed.name} must be JSON`);
  return { each, totalNs };
}
