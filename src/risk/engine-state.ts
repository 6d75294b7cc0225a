/**
 * The engine's state machine (domain 12.1) and the losses that move it down. Pure functions, any thread.
 *
 * All that changes it without a person, who may set any state (a test holds this table and the code against each other). A start
 * begins from what was last written; leaving is of one process and never written.
 *
 * | from | event | to |
 * | ---- | ----- | -- |
 * | STOPPED, ARMED, TRADING | K1, K2 | REDUCE_ONLY |
 * | STOPPED, ARMED, TRADING, REDUCE_ONLY, HALTED | K3 | HALTED flattening |
 * | STOPPED, ARMED, TRADING, REDUCE_ONLY, HALTED | K4 | HALTED leaving |
 * | HALTED flattening | K4 | HALTED flattening leaving |
 * | STOPPED, TRADING | start | ARMED |
 * | STOPPED, ARMED | start that resumes | TRADING |
 */

export type EngineState = 'STOPPED' | 'ARMED' | 'TRADING' | 'REDUCE_ONLY' | 'HALTED';

export interface Engine {
  readonly state: EngineState;
  readonly reason: string;
  /** Positions are to be flattened (K3). */
  readonly flatten: boolean;
  /** The process cancels everything at the venues, disconnects and ends (K4). Of this process only: the next one begins halted. */
  readonly leaving?: true;
}

/** K1 reduce only; K2 also cancel what would open; K3 flatten all pairs; K4 cancel everything at the venues and go. */
export type KillLevel = 1 | 2 | 3 | 4;

/** What a kill of a level makes of the engine. A start that is not over yet takes it too, else it would go on to trade. */
export function killed(engine: Engine, level: KillLevel, reason: string): Engine {
  if (engine.leaving === true) return engine;
  // Whether to flatten is left as it was: the next start does what was asked for before.
  if (level === 4) return { state: 'HALTED', reason, flatten: engine.flatten, leaving: true };
  if (level === 3) return engine.flatten ? engine : { state: 'HALTED', reason, flatten: true };
  if (engine.state === 'HALTED' || engine.state === 'REDUCE_ONLY') return engine;
  return { state: 'REDUCE_ONLY', reason, flatten: false };
}

/**
 * What a start makes of the last durable state: a kill switch outlives the process and only a person clears it; everything else
 * begins ARMED, or TRADING when the configuration says so.
 */
export function startedFrom(durable: Engine | undefined, resumeTrading: boolean): Engine {
  if (durable !== undefined && (durable.state === 'REDUCE_ONLY' || durable.state === 'HALTED')) return durable;
  return resumeTrading
    ? { state: 'TRADING', reason: 'recovered; trading resumes by configuration', flatten: false }
    : { state: 'ARMED', reason: 'recovered; waiting for an operator', flatten: false };
}

/** Returns whether a change allows more than before; only a person may ask for one. */
export function goesUp(from: Engine, to: Engine): boolean {
  return FREEDOM[to.state] > FREEDOM[from.state] || (from.flatten && !to.flatten);
}

const FREEDOM: Readonly<Record<EngineState, number>> = { HALTED: 0, STOPPED: 1, REDUCE_ONLY: 2, ARMED: 3, TRADING: 4 };

/** The result of all pairs over time, micro-units. Start with `emptyLossWatch`. */
export interface LossWatch {
  /** UTC day number since the epoch. */
  readonly day: number;
  /** Result when the day began. */
  readonly dayStartMicro: bigint;
  /** Best result ever seen. */
  readonly peakMicro: bigint;
  /** Losing or failing pairs in a row. */
  readonly lossesInARow: number;
}

export const emptyLossWatch: LossWatch = { day: 0, dayStartMicro: 0n, peakMicro: 0n, lossesInARow: 0 };

const DAY_MS = 86_400_000;

/** Takes notice of the present result (realised and unrealised of all pairs). `nowMs` is calendar time. */
export function observeResult(watch: LossWatch, resultMicro: bigint, nowMs: number): LossWatch {
  const day = Math.floor(nowMs / DAY_MS);
  const peakMicro = resultMicro > watch.peakMicro ? resultMicro : watch.peakMicro;
  return day === watch.day ? { ...watch, peakMicro } : { ...watch, peakMicro, day, dayStartMicro: resultMicro };
}

export interface LossLimits {
  readonly dailyLossMicro: bigint;
  readonly maxDrawdownMicro: bigint;
}

/** Returns the broken limit with its value, `DAILY_LOSS: ...` or `DRAWDOWN: ...`; undefined while none is. */
export function brokenLossLimit(watch: LossWatch, resultMicro: bigint, limits: LossLimits): string | undefined {
  const dayLoss = watch.dayStartMicro - resultMicro;
  if (dayLoss >= limits.dailyLossMicro)
    return `DAILY_LOSS: lost ${quote(dayLoss)} of ${quote(limits.dailyLossMicro)} today`;
  const drawdown = watch.peakMicro - resultMicro;
  if (drawdown >= limits.maxDrawdownMicro)
    return `DRAWDOWN: fell ${quote(drawdown)} of ${quote(limits.maxDrawdownMicro)}`;
  return undefined;
}

function quote(micro: bigint): string {
  return (Number(micro) / 1e6).toFixed(2);
}
