/** The long suite: minutes per test, run on purpose. */
import { mergeConfig } from 'vitest/config';
import quick from './vitest.config.ts';

export default mergeConfig(quick, {
  test: {
    include: ['test/long/**/*.test.ts'],
    testTimeout: 1_800_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    passWithNoTests: true,
  },
});
