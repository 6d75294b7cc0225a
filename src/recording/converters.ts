/** Reads recordings that other programs made, as ours: what was heard on one public connection, and nothing else. Pure; any thread. */
import { malformed } from '../venues/json.ts';
import { RECORDING_VERSION } from './format.ts';
import type { RecordingEntry, RecordingHeading } from './format.ts';

export interface Converted {
  readonly heading: RecordingHeading;
  readonly entries: readonly RecordingEntry[];
}

/** A frame with the time it was heard, epoch ms. */
interface Heard {
  readonly atMs: number;
  readonly text: string;
}

export const RAW_FORMATS = ['lines', 'timed-json', 'timed-lines'] as const;
export type RawFormat = (typeof RAW_FORMATS)[number];

/** Time between frames that came without one. */
const UNTIMED_MS = 100;
const NANO_PER_MS = 1_000_000;

/**
 * Converts raw frames, one a line. `lines`: the frame alone, its own `ts` (ms) as time where it has one. `timed-json`: `{"ts": seconds, "msg": text}`.
 * `timed-lines`: `<epoch ns> <frame>`. Throws MalformedPayload for lines of another format.
 */
export function convertRaw(
  format: RawFormat,
  lines: readonly string[],
  about: Pick<RecordingHeading, 'venue' | 'bases' | 'restUrl' | 'streamUrl' | 'options'> & {
    /** Where on the venue the connection led, and how many were opened there before it. */
    readonly streamPath: string;
    readonly connectionsBefore: number;
  },
): Converted {
  const heard: Heard[] = [];
  for (const [index, line] of lines.entries()) if (line !== '') heard.push(readLine(format, line, index, heard.at(-1)));
  const startedAtMs = Math.floor(heard[0]?.atMs ?? 0);
  const { streamPath, connectionsBefore, ...rest } = about;
  const heading: RecordingHeading = { recording: RECORDING_VERSION, account: 'main', startedAtMs, scale: 1, ...rest };
  const url = new URL(streamPath, about.streamUrl).toString();
  const openings = Array.from({ length: connectionsBefore + 1 }, (_unused, index): RecordingEntry => {
    return { t: 0, k: 'opening', s: index + 1, url };
  });
  const s = connectionsBefore + 1;
  // A moment for the instruments, which were not recorded.
  const frames = heard.map(({ atMs, text }): RecordingEntry => ({
    t: BEFORE_MS + atMs - startedAtMs,
    k: 'frame',
    s,
    x: text,
  }));
  return { heading: { ...heading, startedAtMs: startedAtMs - BEFORE_MS }, entries: [...openings, ...frames] };
}

const BEFORE_MS = 5_000;

function readLine(format: RawFormat, line: string, index: number, last: Heard | undefined): Heard {
  const where = `line ${index + 1}`;
  switch (format) {
    case 'timed-json': {
      const { ts, msg } = JSON.parse(line) as { readonly ts?: unknown; readonly msg?: unknown };
      if (typeof ts !== 'number' || typeof msg !== 'string')
        throw malformed(where, '{"ts": seconds, "msg": text}', line);
      return { atMs: ts * 1_000, text: msg };
    }
    case 'timed-lines': {
      const space = line.indexOf(' ');
      const ns = Number(line.slice(0, space));
      if (space < 1 || !Number.isFinite(ns)) throw malformed(where, '<epoch ns> <frame>', line);
      return { atMs: ns / NANO_PER_MS, text: line.slice(space + 1) };
    }
    case 'lines': {
      const own = /"(?:cts|ts|time)":\s*(\d{13})\b/.exec(line)?.[1];
      const atMs = own === undefined ? (last?.atMs ?? 0) + UNTIMED_MS : Math.max(Number(own), last?.atMs ?? 0);
      return { atMs, text: line };
    }
  }
}
