import { existsSync, mkdtempSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { takeKillFile } from '../../src/control/kill-file.ts';

it.each([
  ['1 odd fills\n', 1, 'kill file: odd fills'],
  ['2', 2, 'kill file:'],
  ['3 leave\nnow', 3, 'kill file: leave\nnow'],
  ['4 all of it', 4, 'kill file: all of it'],
  // Whoever writes it wants out: what cannot be understood asks for the most.
  ['', 3, 'kill file:'],
  ['stop everything', 3, 'kill file: stop everything'],
  ['12 monkeys', 3, 'kill file: 12 monkeys'],
])('a kill file that says %j asks for level %i, once', (text, level, reason) => {
  const directory = mkdtempSync(join(tmpdir(), 'tandem-kill-file-'));
  expect(takeKillFile(directory)).toBeUndefined();
  writeFileSync(join(directory, 'kill'), text);
  if (text === '') {
    // It may still be being written.
    expect(takeKillFile(directory)).toBeUndefined();
    utimesSync(join(directory, 'kill'), 0, 0);
  }
  expect(takeKillFile(directory)).toEqual({ type: 'kill', level, reason });
  expect(takeKillFile(directory)).toBeUndefined();
  expect(existsSync(join(directory, 'kill.taken'))).toBe(true);
});
