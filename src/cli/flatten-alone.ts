/** What `tandem flatten` does where no engine answers. Loaded by that way of it only: the engine is large. Main thread only. */
import { existsSync } from 'node:fs';
import type { TandemConfig } from '../../config/schema.ts';
import { openKeys } from '../composition/live/account-keys.ts';
import { flattenAlone } from '../composition/live/flatten.ts';
import { openLog } from '../observe/live/log.ts';
import { createRedactor } from '../observe/redact.ts';
import { exitNow } from '../runtime/thread-exit.ts';
import { CommandFailure, EXIT } from './command-failure.ts';
import { keyOptions } from './passphrase.ts';

/** Returns what is still open at the end. Throws CommandFailure when it cannot begin. */
export async function flattenWithoutEngine(
  config: TandemConfig,
  options: { readonly reason: string; readonly onEnding: (pid: number) => void },
): Promise<readonly string[]> {
  const { dataDir } = config;
  // An empty journal would call everything flat.
  if (!existsSync(dataDir))
    throw new CommandFailure(`dataDir must be the folder of the engine to flatten, "${dataDir}" does not exist`);
  const keys = await openKeys(config, keyOptions());
  const log = openLog({ directory: dataDir, level: config.log.level, redactor: createRedactor(keys.values) });
  try {
    return await flattenAlone(config, {
      ...options,
      keys,
      log: (record) => log.write(record),
      onUnkillable: () => exitNow(EXIT.internal),
    });
  } catch (error) {
    throw new CommandFailure(`tandem cannot flatten: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    log.close();
  }
}
