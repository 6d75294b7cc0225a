/** Examines every account of a configuration; simulated venues that it hosts itself are started for it. Main thread. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TandemConfig } from '../../../config/schema.ts';
import { connectorRef } from '../../../actors/addresses.ts';
import type { Instant } from '../../venues/venue.ts';
import type { AccountKeys } from './account-keys.ts';
import { openAccounts } from './accounts.ts';
import { examineAccount } from './doctor.ts';
import type { Finding } from './doctor.ts';

/** Tells each finding as it is made, and returns whether nothing failed. `venue`: only accounts of that one. */
export async function examineAll(
  config: TandemConfig,
  options: { readonly venue?: string | undefined; readonly keys: AccountKeys },
  tell: (finding: Finding) => void,
): Promise<boolean> {
  // Venues made for this examination leave nothing behind, and the engine's own are not disturbed.
  const dataDir = mkdtempSync(join(tmpdir(), 'tandem-doctor-'));
  const accounts = await openAccounts({ ...config, dataDir }, options.keys);
  let isWell = true;
  try {
    const calendar = accounts.calendar();
    const startedAtMs = performance.now();
    const now = (): Instant => {
      const monotonicMs = performance.now();
      const calendarMs =
        calendar.type === 'live'
          ? Date.now()
          : Math.floor(calendar.startAtMs + (monotonicMs - startedAtMs) * calendar.scale);
      return { monotonicMs, calendarMs };
    };
    for (const { venue, account, restUrl, streamUrl, options: accountOptions } of accounts.endpoints) {
      if (options.venue !== undefined && options.venue !== venue) continue;
      const secrets = accounts.secrets[connectorRef(venue, account).path];
      if (secrets === undefined) throw new Error(`account ${venue}:${account} must have a source of secrets`);
      const subject = {
        venue,
        account,
        restUrl,
        streamUrl,
        options: accountOptions,
        secrets,
        symbols: config.symbols,
        calendarScale: config.calendar.scale,
        clockWarnOffsetMs: config.clock.warnOffsetMs,
      };
      for await (const finding of examineAccount(subject, now)) {
        if (finding.status === 'failed') isWell = false;
        tell(finding);
      }
    }
  } finally {
    await accounts.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
  return isWell;
}
