/** The quick suite: everything under test/ except test/long. */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/long/**'],
    // Own processes: tests start threads, load a native database and kill things; none may take the others along.
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Threads started by tests load their modules from the compile cache.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules', '.cache', 'compile') },
  },
});
