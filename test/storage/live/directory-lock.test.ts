import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DataDirectoryInUse } from '../../../src/storage/journal-errors.ts';
import { lockDataDirectory } from '../../../src/storage/live/directory-lock.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const CHILD = join(import.meta.dirname, '..', 'fixtures', 'append-forever.ts');

describe('the lock of a data directory', () => {
  it('makes the directory, for its owner only', () => {
    const directory = join(temporaryDirectory(), 'deep', 'var');
    lockDataDirectory(directory).release();
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  it('is taken once and can be taken again after its release', () => {
    const directory = temporaryDirectory();
    const lock = lockDataDirectory(directory);
    expect(() => lockDataDirectory(directory)).toThrow(DataDirectoryInUse);
    lock.release();
    lockDataDirectory(directory).release();
  });

  it('refuses a second process by the number of the first, and is free once that is killed', async () => {
    const directory = temporaryDirectory();
    const child = spawn(process.execPath, [CHILD, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    expect(() => lockDataDirectory(directory)).toThrow(
      `data directory ${directory} must be used by one engine only, process ${child.pid} uses it`,
    );
    child.stdout.resume();
    child.kill('SIGKILL');
    await once(child, 'close');
    lockDataDirectory(directory).release();
  });
});
