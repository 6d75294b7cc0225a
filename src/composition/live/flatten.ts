/**
 * Flattens without the engine that should do it: one that is dead is replaced, one that hangs is ended first, so that no two of them
 * send orders. Main thread.
 *
 * What replaces it is the engine itself with kill level 3 in force from its first moment: it recovers from the journal, asks the
 * venues, closes what is open by the ordinary rules and leaves the halt in the journal for the next start.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { guardRef } from '../../../actors/addresses.ts';
import type { GuardMessage } from '../../../actors/guard-messages.ts';
import type { PairSummary } from '../../../actors/observer.ts';
import type { TandemConfig } from '../../../config/schema.ts';
import { DataDirectoryInUse } from '../../storage/journal-errors.ts';
import { startEngine } from './engine.ts';
import type { Engine, EngineOptions } from './engine.ts';

export interface FlattenOptions extends EngineOptions {
  readonly reason: string;
  /** An engine that uses the data directory and does not answer is about to be ended. */
  readonly onEnding: (pid: number) => void;
}

/** From the command until nothing is open, venues answering. */
const FLAT_MS = 20_000;
/** A killed process gives its lock free at once; its number is written a moment after its lock. */
const LOCK_MS = 5_000;
const LOOK_MS = 50;
const FLAT_PHASES: ReadonlySet<string> = new Set(['IDLE', 'CLOSED', 'FAILED']);

/** Returns what is still open at the end, as `BTC CLOSING`. Rejects when no engine can be started here. */
export async function flattenAlone(config: TandemConfig, options: FlattenOptions): Promise<readonly string[]> {
  const engine = await takeOver(config, options);
  try {
    const kill: GuardMessage = { type: 'kill', level: 3, reason: options.reason };
    engine.system.tell(guardRef.path, kill);
    const endMs = performance.now() + FLAT_MS;
    for (;;) {
      const left = stillOpen(config.symbols, (await engine.summary())?.pairs ?? []);
      if (left.length === 0 || performance.now() > endMs) return left;
      await sleep(LOOK_MS);
    }
  } finally {
    await engine.stop();
  }
}

/** Symbols that hold something or have not said that they do not. */
export function stillOpen(bases: readonly string[], pairs: readonly PairSummary[]): readonly string[] {
  return bases.flatMap((base) => {
    const pair = pairs.find((candidate) => candidate.base === base);
    if (pair === undefined) return [`${base} unknown`];
    if (pair.reason === 'EXTERNAL_EXPOSURE')
      return [`${base} ${pair.phase} with a position that is in no book of ours`];
    return FLAT_PHASES.has(pair.phase) && pair.liveOrders === 0 ? [] : [`${base} ${pair.phase}`];
  });
}

async function takeOver(config: TandemConfig, options: FlattenOptions): Promise<Engine> {
  const endMs = performance.now() + LOCK_MS;
  const ended = new Set<number>();
  for (;;) {
    try {
      return await startEngine({ ...config, resumeTrading: false }, options);
    } catch (error) {
      if (!(error instanceof DataDirectoryInUse) || performance.now() > endMs) throw error;
      endHolder(error.pid, ended, options);
      await sleep(LOOK_MS);
    }
  }
}

function endHolder(pid: number | undefined, ended: Set<number>, options: FlattenOptions): void {
  if (pid === undefined || pid === process.pid || ended.has(pid)) return;
  ended.add(pid);
  options.onEnding(pid);
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It ended by itself meanwhile.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
