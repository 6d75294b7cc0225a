import { expect, it } from 'vitest';
import { killWriters, readRecords } from '../runtime/fixtures/ring-run.ts';

it.each([1, 2])(
  'five hundred writers killed in the middle of their work leave nothing torn (seed %i)',
  async (seed) => {
    const { records, ...faults } = await killWriters({ seed, kills: 500 });
    expect(faults).toEqual({ torn: 0, misplaced: 0 });
    expect(records).toBeGreaterThan(500);
  },
);

it('positions go round their 32 bits and every record comes whole', async () => {
  // Records of up to 8 KiB, 4 on average: 1.2 million of them are more bytes than a position can count.
  const run = await readRecords({ capacityBytes: 65_536, position: 0, seed: 1, records: 1_200_000 });
  expect(run).toEqual({ records: 1_200_000, torn: 0, misplaced: 0 });
});
