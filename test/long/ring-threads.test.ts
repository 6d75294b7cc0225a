import { expect, it } from 'vitest';
import { killWriters, readRecords } from '../runtime/fixtures/ring-run.ts';

it.each([1, 2])(
  'five hundred writers killed in the middle of their work leave nothing torn (seed %i)',
  async (seed) => {
    const { records, ...faults } = await killWriters({ seed, kills: 250 });
    expect(faults).toEqual({ torn: 0, misplaced: 0 });
    expect(records).toBeGreaterThan(250);
  },
);

it('positions go round their 32 bits and every record comes whole', async () => {
  // Records of 4 KiB on average: 600,000 of them lead from before 2^31 to behind 2^32.
  const run = await readRecords({ capacityBytes: 65_536, position: 2 ** 31 - 65_536, seed: 1, records: 600_000 });
  expect(run).toEqual({ records: 600_000, torn: 0, misplaced: 0 });
});
