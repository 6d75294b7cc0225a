import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LOG_FILE } from '../../../src/observe/live/log.ts';

const PROGRAM = fileURLToPath(new URL('./fixtures/log-burst.ts', import.meta.url));
const LINES = 20_000;

describe('trap 9: a process that ends in a burst of log lines', () => {
  // A transport in a thread of its own would lose the last lines here, or keep the process from ending.
  it.each(['exit', 'end', 'throw'] as const)('ends, and no line is missing: by %s', async (how) => {
    const directory = mkdtempSync(join(tmpdir(), 'tandem-log-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const child = spawn(process.execPath, [PROGRAM, directory, String(LINES), how], { stdio: 'ignore' });
    const [code] = (await once(child, 'close')) as [number | null];
    expect(code).toBe({ exit: 3, end: 0, throw: 1 }[how]);
    const lines = readFileSync(join(directory, LOG_FILE), 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { readonly event: string }).event)).toEqual(
      Array.from({ length: LINES }, (_, number) => `line-${number}`),
    );
  });
});
