/** What the guard writes into its journal rows, and reads out of them after a start. Pure. */
import type { Engine, EngineState, LossWatch } from '../../src/risk/engine-state.ts';
import type { ExposureDay } from '../../src/risk/exposure-budget.ts';
import type { JournalRow } from '../../src/storage/rows.ts';

/** Leaving (K4) is of one process: the next begins with the halt alone. */
export function rowPayload(engine: Engine, losses: LossWatch, exposure: ExposureDay): JournalRow['payload'] {
  const { state, reason, flatten } = engine;
  return {
    state,
    reason,
    flatten,
    ...losses,
    exposureDay: exposure.day,
    exposureQuoteSec: Math.ceil(exposure.quoteSec),
    // With what each pair had told: a guard that starts again must not count it twice.
    exposureHeard: [...exposure.heard].map(([base, { pairId, quoteSec }]) => [base, pairId, quoteSec]),
  };
}

/** Undefined for a row that says nothing this understands; so for the two below. */
export function engineOf(row: JournalRow): Engine | undefined {
  const { state, reason, flatten } = row.payload;
  if (!isEngineState(state) || typeof reason !== 'string' || typeof flatten !== 'boolean') return undefined;
  return { state, reason, flatten };
}

export function lossesOf(row: JournalRow): LossWatch | undefined {
  const { day, dayStartMicro, peakMicro, lossesInARow } = row.payload;
  if (typeof day !== 'number' || typeof lossesInARow !== 'number') return undefined;
  if (typeof dayStartMicro !== 'bigint' || typeof peakMicro !== 'bigint') return undefined;
  return { day, dayStartMicro, peakMicro, lossesInARow };
}

export function exposureOf(row: JournalRow): ExposureDay | undefined {
  const { exposureDay, exposureQuoteSec } = row.payload;
  if (typeof exposureDay !== 'number' || typeof exposureQuoteSec !== 'number') return undefined;
  return { day: exposureDay, quoteSec: exposureQuoteSec, heard: heardOf(row.payload['exposureHeard']) };
}

/** Empty for rows older than this list. */
function heardOf(value: unknown): ExposureDay['heard'] {
  const heard = new Map<string, { readonly pairId: string; readonly quoteSec: number }>();
  for (const entry of Array.isArray(value) ? (value as readonly unknown[]) : []) {
    const [base, pairId, quoteSec] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
    if (typeof base === 'string' && typeof pairId === 'string' && typeof quoteSec === 'number')
      heard.set(base, { pairId, quoteSec });
  }
  return heard;
}

function isEngineState(value: unknown): value is EngineState {
  return (
    value === 'STOPPED' || value === 'ARMED' || value === 'TRADING' || value === 'REDUCE_ONLY' || value === 'HALTED'
  );
}
