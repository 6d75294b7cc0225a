/** What the invariant monitor of a whole engine must have found at the end of a run: everything compared, nothing broken. */
import { expect } from 'vitest';
import type { IdentitiesChecked } from '../../actors/monitor-messages.ts';

/** `digest` is the monitor's own, or what the summary shows of it. */
export function expectBooksExact(digest: unknown): void {
  const checked = digest as Omit<IdentitiesChecked, 'type'> | undefined;
  expect(checked).toBeDefined();
  if (checked === undefined) return;
  expect(checked.broken).toEqual([]);
  expect(checked.isCaughtUp).toBe(true);
  expect(checked.comparisons).toBeGreaterThan(0);
}

/** Every wallet moved by what the journal explains, to the micro-unit; for runs whose last booking has been read. */
export function expectWalletsExplained(digest: unknown): void {
  const { wallets } = digest as Omit<IdentitiesChecked, 'type'>;
  expect(wallets.length).toBeGreaterThan(0);
  for (const wallet of wallets) expect(wallet).toMatchObject({ unexplainedMicro: 0n });
}
