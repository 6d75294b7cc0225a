/** Reads a recording, ours or another program's, and plays it. Main thread. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { convertRaw } from '../../recording/converters.ts';
import type { Converted, RawFormat } from '../../recording/converters.ts';
import { parseRecording } from '../../recording/format.ts';
import { readRecordingLines } from '../../recording/live/recording-file.ts';
import { buildVenue } from '../../simulation/build-venue.ts';
import { demoAccount } from '../../simulation/demo-accounts.ts';
import { generatedTape } from '../../simulation/generated-tape.ts';
import { fundingIntervalMs } from '../../simulation/markets.ts';
import type { SimulatedVenue } from '../../simulation/simulated-venue.ts';
import { hostsOf } from '../../venues/hosts.ts';
import { modernLighterFrames } from '../../venues/lighter/older-frames.ts';
import { replay } from '../replay.ts';
import type { ReplayOptions, ReplayReport } from '../replay.ts';

/** Frames of one public connection that another program wrote down. */
export interface RawSource {
  readonly format: RawFormat;
  readonly venue: string;
  readonly base: string;
}

interface PublicStream {
  /** Where on the venue's stream address it is, and connections opened there before. */
  readonly streamPath: string;
  readonly connectionsBefore: number;
  /** Brings lines of older or deeper feeds into the shape of what the connector asks for. */
  readonly modern: () => (line: string) => string;
}

const PUBLIC_STREAMS: ReadonlyMap<string, PublicStream> = new Map([
  ['lighter', { streamPath: '/stream', connectionsBefore: 1, modern: modernLighterFrames }],
  ['bybit', { streamPath: '/v5/public/linear', connectionsBefore: 0, modern: () => shallowTopic }],
  ['hyperliquid', { streamPath: '/ws', connectionsBefore: 1, modern: () => (line: string) => line }],
]);

/** A deeper book is followed like the one the connector asks for. */
function shallowTopic(line: string): string {
  return line.replace(/"orderbook\.(?:200|500|1000)\./, '"orderbook.50.');
}

/** Plays a file, or all files of a directory. Throws for what is no recording. */
export function replayRecording(
  path: string,
  raw: RawSource | undefined,
  options: Pick<ReplayOptions, 'heard' | 'log'> = {},
): ReplayReport {
  if (raw === undefined) return replay({ ...parseRecording(readRecordingLines(path)), ...options });
  const converted = convertFile(path, raw);
  return replay({ ...converted, rest: twinOf(converted, raw), ...options });
}

/** Reads another program's recording of a public connection. */
export function convertFile(path: string, { format, venue, base }: RawSource): Converted {
  const stream = PUBLIC_STREAMS.get(venue);
  if (stream === undefined)
    throw new RangeError(`raw frames must be of ${[...PUBLIC_STREAMS.keys()].join(', ')}, were of ${venue}`);
  const bytes = readFileSync(path);
  const { modern, ...place } = stream;
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const lines = text.split('\n').map(modern());
  const { restUrl, streamUrl, profileOptions } = hostsOf(venue);
  const options = { ...demoAccount(venue, 'main').options, ...profileOptions.standard };
  return convertRaw(format, lines, { venue, bases: [base], restUrl, streamUrl, options, ...place });
}

/** A twin that lists the instrument: what is not in raw frames comes from it. */
function twinOf({ heading }: Converted, { venue, base }: RawSource): SimulatedVenue {
  const series = venue === 'lighter' ? venue : 'hyperliquid';
  const tape = generatedTape({
    seed: 1,
    bases: venue === 'lighter' ? ['ETH', base] : [base],
    venues: { [venue]: { series, intervalMs: fundingIntervalMs(venue) } },
    startAtMs: heading.startedAtMs,
  });
  const { venue: twin } = buildVenue(
    {
      venue,
      // Raw frames name markets by number: BTC is the second of this venue.
      bases: venue === 'lighter' && base === 'BTC' ? ['ETH', base] : [base],
      accounts: [{ name: 'main', balance: 1_000 }],
      limits: 'standard',
      seed: 1,
      calendarScale: 1,
      takerDelayMs: 0,
      makerDelayMs: 0,
      cancelDelayMs: 0,
      bookIntervalMs: 1_000,
    },
    tape,
  );
  return twin;
}
