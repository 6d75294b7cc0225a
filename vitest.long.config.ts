/** The long suite: minutes per test, run on purpose. Only test/long: the quick suite's projects are not its own. */
import { defineConfig } from 'vitest/config';
import quick from './vitest.config.ts';

const { projects: _projects, ...shared } = quick.test ?? {};

export default defineConfig({
  test: {
    ...shared,
    include: ['test/long/**/*.test.ts'],
    testTimeout: 1_800_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    passWithNoTests: false,
  },
});
