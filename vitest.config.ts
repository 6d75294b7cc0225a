/**
 * The quick suite: everything under test/ except test/long, in four projects one after the other.
 *
 *   parts     pure functions, and actors played in virtual time: files share a process, nothing they do outlives a test
 *   threads   what starts threads and processes, or loads native code: a process per file, none may take the others along
 *   engine    the whole engine, mostly waiting: two files side by side. More would measure their neighbours' load instead of themselves
 *   paced     the whole engine against compressed market time, where a second late is hours late: one file at a time
 */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

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
const paced = ['january', 'worker-kill'].map((name) => `test/engine/${name}.test.ts`);
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
          exclude: paced,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'paced',
          include: paced,
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
    ],
    globalSetup: ['./test/property-seed.ts'],
    reporters: ['default', './test/report.ts'],
    pool: 'forks',
    // For tests that hang. What takes a second alone may take a minute on a machine that others use.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Threads started by tests load their modules from the compile cache.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules', '.cache', 'compile') },
  },
});
