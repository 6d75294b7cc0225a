/**
 * The quick suite: everything under test/ except test/long, in three projects one after the other.
 *
 *   parts     pure functions, and actors played in virtual time: files share a process, nothing they do outlives a test
 *   threads   what starts threads and processes, or loads native code: a process per file, none may take the others along
 *   engine    the whole engine, mostly waiting: two files side by side, the longest first
 */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { SlowFirst } from './test/slow-first.ts';

/** Folders and files of test/ that need a process per file. */
const THREADS = [
  'bench',
  'cli',
  'control',
  'launch',
  'observe/live',
  'ports',
  'runtime',
  'simulation/live',
  'storage/live',
];
const threads = THREADS.map((folder) => `test/${folder}/**/*.test.ts`);

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          // By default one core is left to the runner, which has nothing to do meanwhile.
          maxWorkers: '100%',
          include: ['test/**/*.test.ts'],
          exclude: ['test/long/**', 'test/engine/**', ...threads],
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'threads',
          maxWorkers: '100%',
          include: threads,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'engine',
          include: ['test/engine/**/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
    globalSetup: ['./test/property-seed.ts'],
    reporters: ['default', './test/report.ts'],
    sequence: { sequencer: SlowFirst },
    pool: 'forks',
    // For tests that hang. What takes a second alone may take a minute on a machine that others use.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Threads started by tests load their modules from the compile cache.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules', '.cache', 'compile') },
  },
});
