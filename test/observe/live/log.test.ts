import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LOG_FILE, openLog } from '../../../src/observe/live/log.ts';
import type { LogOptions } from '../../../src/observe/live/log.ts';
import { createRedactor } from '../../../src/observe/redact.ts';

function open(options: Partial<LogOptions> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'tandem-log-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const log = openLog({
    directory,
    level: 'info',
    redactor: createRedactor(['a-very-secret-value']),
    ...options,
  });
  const lines = (file = LOG_FILE): readonly Record<string, unknown>[] =>
    readFileSync(join(directory, file), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  return { log, directory, lines };
}

describe('log', () => {
  it('writes one JSON line for each record, with where it comes from', () => {
    const { log, lines } = open();
    log.write({
      level: 'warn',
      event: 'append-slow',
      atMs: 1.5,
      thread: 'store',
      path: 'journal',
      incarnation: 2,
      fields: { durationMs: 60n },
    });
    log.event('info', 'ready');
    expect(lines()).toMatchObject([
      {
        level: 'warn',
        event: 'append-slow',
        calendarAtMs: 2,
        thread: 'store',
        actor: 'journal',
        incarnation: 2,
        fields: { durationMs: '60' },
      },
      { level: 'info', event: 'ready', thread: 'main' },
    ]);
  });

  it('writes nothing below its level', () => {
    const { log, directory } = open({ level: 'warn' });
    log.write({ level: 'info', event: 'ready', atMs: 2, thread: 'main' });
    expect(statSync(join(directory, LOG_FILE)).size).toBe(0);
  });

  it('writes no secret, neither in a field nor in an event', () => {
    const { log, directory } = open();
    log.write({
      level: 'error',
      event: 'a-very-secret-value',
      atMs: 1,
      thread: 'io-0',
      fields: { url: '?key=a-very-secret-value', apiKey: 'x' },
    });
    const text = readFileSync(join(directory, LOG_FILE), 'utf8');
    expect(text).not.toContain('a-very-secret-value');
    expect(text).toContain('"apiKey":"[redacted]"');
  });

  it('keeps so many files of so many bytes, newest first, and loses no line between them', () => {
    const { log, directory, lines } = open({ bytesMax: 2_000, filesMax: 3 });
    for (let count = 0; count < 60; count += 1)
      log.write({ level: 'info', event: `event-${count}`, atMs: 1, thread: 'main' });
    expect(readdirSync(directory).sort()).toEqual(['tandem.log', 'tandem.log.1', 'tandem.log.2']);
    for (const file of readdirSync(directory)) expect(statSync(join(directory, file)).size).toBeLessThanOrEqual(2_000);
    const events = ['tandem.log.2', 'tandem.log.1', 'tandem.log']
      .flatMap((file) => lines(file))
      .map((line) => line.event);
    const first = 60 - events.length;
    expect(events).toEqual(Array.from({ length: events.length }, (_, index) => `event-${first + index}`));
    expect(statSync(join(directory, 'tandem.log')).mode & 0o777).toBe(0o600);
  });

  it('keeps five files of 10 MB as it is opened by the engine, however much is written', () => {
    const { log, directory, lines } = open();
    const LINES = 3_200;
    // Read by nobody but the disk: 64 MB of it.
    const text = 'nothing of interest '.repeat(1_000);
    for (let count = 0; count < LINES; count += 1)
      log.write({ level: 'info', event: `event-${count}`, atMs: 1, thread: 'main', fields: { text } });
    const files = ['tandem.log', 'tandem.log.1', 'tandem.log.2', 'tandem.log.3', 'tandem.log.4'];
    expect(readdirSync(directory).sort()).toEqual(files);
    for (const file of files) expect(statSync(join(directory, file)).size).toBeLessThanOrEqual(10_000_000);
    // Full: one more line would not have found room.
    for (const file of files.slice(1)) expect(statSync(join(directory, file)).size).toBeGreaterThan(9_970_000);
    const events = files.toReversed().flatMap((file) => lines(file).map(({ event }) => event));
    const first = LINES - events.length;
    expect(events).toEqual(Array.from({ length: events.length }, (_, index) => `event-${first + index}`));
    expect(log.dropped()).toBe(0);
  });

  it('counts what the disk refuses instead of throwing', () => {
    const { log, directory } = open({ bytesMax: 200, filesMax: 2 });
    log.write({ level: 'info', event: 'x'.repeat(190), atMs: 1, thread: 'main' });
    rmSync(directory, { recursive: true });
    log.write({ level: 'info', event: 'y'.repeat(190), atMs: 1, thread: 'main' });
    expect(log.dropped()).toBe(1);
  });
});
