/** The log file: structured lines of everything the runtime and the actors report, through the redaction door. Main thread only. */
import { join } from 'node:path';
import { pino } from 'pino';
import type { LogLevel, LogRecord } from '../../runtime/ports-context.ts';
import type { Redactor } from '../redact.ts';
import { RotatingFile } from './rotating-file.ts';

export const LOG_FILE = 'tandem.log';

export interface LogOptions {
  /** Data directory, made before. */
  readonly directory: string;
  /** Records below this are not written. */
  readonly level: LogLevel;
  readonly redactor: Redactor;
  /** Default 10 MB. */
  readonly bytesMax?: number;
  /** Files kept, the current one included. Default 5. */
  readonly filesMax?: number;
}

export interface Log {
  /** Takes one record of a thread. Never throws. */
  write(record: LogRecord): void;
  /** The main program's own events, at the time of the call. */
  event(level: LogLevel, event: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Lines the disk refused. */
  dropped(): number;
  close(): void;
}

/** Opens `tandem.log` in the data directory. Throws when that is not possible. */
export function openLog(options: LogOptions): Log {
  const file = new RotatingFile({
    path: join(options.directory, LOG_FILE),
    bytesMax: options.bytesMax ?? 10_000_000,
    filesMax: options.filesMax ?? 5,
  });
  const logger = pino(
    {
      level: options.level,
      base: null,
      messageKey: 'event',
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    file,
  );
  const { redactor } = options;
  const write = ({ level, event, fields, atMs, thread, path, incarnation }: LogRecord): void => {
    if (!logger.isLevelEnabled(level)) return;
    // Calendar time differs from the line's own when time is compressed.
    const origin = { calendarAtMs: Math.round(atMs), thread, actor: path, incarnation };
    logger[level](
      { ...origin, ...(fields === undefined ? {} : { fields: redactor.value(fields) }) },
      redactor.text(event),
    );
  };
  return {
    write,
    event: (level, event, fields) =>
      write({ level, event, atMs: Date.now(), thread: 'main', ...(fields === undefined ? {} : { fields }) }),
    dropped: () => file.dropped,
    close: () => file.close(),
  };
}
