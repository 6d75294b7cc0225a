/**
 * The world the simulated venues of one data directory live in: what it is made of, and its time, which stands still while
 * nobody runs it. Main thread at start (`openWorld`), then the hosting thread (`WorldTime`).
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VenueCalendar } from '../venue-calendar.ts';
import { calendarAt } from '../venue-calendar.ts';

/** Plain data: crosses threads. */
export interface World {
  readonly directory: string;
  /** The calendar of this run. */
  readonly calendar: VenueCalendar;
  /** Where the tape begins: its prices and rates depend on it, in every run. */
  readonly tapeStartAtMs: number;
}

/** What must stay the same for the venues to make sense of their past: setting name to value. */
export type WorldMaterial = Readonly<Record<string, unknown>>;

/** The world was made from other settings. */
export class WorldDiffers extends Error {
  readonly code = 'world-differs';
  constructor(directory: string, setting: string, was: string, now: string) {
    super(
      `the simulated venues in ${directory} were made with ${setting} ${was}, the configuration has ${now}: ` +
        'use another --data-dir, or delete this one to begin anew',
    );
    this.name = 'WorldDiffers';
  }
}

interface WorldRecord {
  readonly material: WorldMaterial;
  readonly calendar: VenueCalendar;
  readonly tapeStartAtMs: number;
}

const FOLDER = 'simulated';
const RECORD_FILE = 'world.json';
const TIME_FILE = 'time';
/** The calendar is written ahead by so many real ms, so that a killed run's time never comes again. */
const AHEAD_MS = 2_000;
const WRITE_INTERVAL_MS = 1_000;

/**
 * Opens the world of a data directory, or makes it with `fresh` as its calendar. `standsStill`: its time goes on where it was
 * left; otherwise it has passed meanwhile. Throws WorldDiffers, or Error when its files cannot be read.
 */
export function openWorld(
  dataDirectory: string,
  material: WorldMaterial,
  fresh: VenueCalendar,
  nowEpochMs: number,
  standsStill: boolean,
): World {
  const directory = join(dataDirectory, FOLDER);
  const text = readIfThere(join(directory, RECORD_FILE));
  if (text === undefined) {
    const record: WorldRecord = { material, calendar: fresh, tapeStartAtMs: fresh.startAtMs };
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    replaceFile(join(directory, RECORD_FILE), `${JSON.stringify(record)}\n`);
    return { directory, calendar: fresh, tapeStartAtMs: fresh.startAtMs };
  }
  const record = readRecord(text, join(directory, RECORD_FILE));
  for (const [setting, value] of Object.entries(material)) {
    const [was, now] = [JSON.stringify(record.material[setting]) ?? 'absent', JSON.stringify(value)];
    if (was !== now) throw new WorldDiffers(directory, setting, was, now);
  }
  const calendar = standsStill
    ? { ...fresh, startAtMs: leftAt(directory, record), anchorEpochMs: nowEpochMs }
    : record.calendar;
  return { directory, calendar, tapeStartAtMs: record.tapeStartAtMs };
}

function leftAt(directory: string, record: WorldRecord): number {
  const file = join(directory, TIME_FILE);
  const text = readIfThere(file);
  if (text === undefined) return record.calendar.startAtMs;
  const leftAtMs = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(leftAtMs))
    throw new Error(`${file} must hold a calendar time in ms, was ${JSON.stringify(text.slice(0, 40))}`);
  return leftAtMs;
}

/** Writes down how far the world's time has come, while it runs and when it ends. */
export class WorldTime {
  readonly #file: string;
  readonly #calendar: VenueCalendar;
  readonly #timer: NodeJS.Timeout;

  constructor({ directory, calendar }: World) {
    this.#file = join(directory, TIME_FILE);
    this.#calendar = calendar;
    this.#write(AHEAD_MS);
    this.#timer = setInterval(() => this.#write(AHEAD_MS), WRITE_INTERVAL_MS);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#write(0);
  }

  #write(aheadMs: number): void {
    replaceFile(this.#file, `${calendarAt(this.#calendar, Date.now() + aheadMs) + 1}\n`);
  }
}

function readRecord(text: string, file: string): WorldRecord {
  try {
    // Written by `openWorld` in exactly this shape.
    return JSON.parse(text) as WorldRecord;
  } catch (cause) {
    throw new Error(`${file} must be the record of a simulated world, was ${JSON.stringify(text.slice(0, 40))}`, {
      cause,
    });
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A reader, also one after a crash, finds the old text or the new, never a part. */
function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
