/**
 * The quick suite: everything under test/ except test/long. The whole engine runs apart from the rest and one file at a time: it is on real
 * threads against compressed market time, and would measure its neighbours' load instead of itself.
 */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

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
          exclude: ['test/long/**', 'test/engine/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'engine',
          include: ['test/engine/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
    globalSetup: ['./test/property-seed.ts'],
    reporters: ['default', './test/report.ts'],
    // Own processes: tests start threads, load a native database and kill things; none may take the others along.
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Threads started by tests load their modules from the compile cache.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules', '.cache', 'compile') },
  },
});
