/** The thresholds of execution as plain data. Durations are monotonic ms, prices distances in 1e-4. Any thread. */

export interface HedgePolicy {
  /** Longest time one leg may stand alone before it is unwound. */
  readonly maxUnhedgedMs: number;
  /** Rungs of the ladder. */
  readonly maxAttempts: number;
  /** Room past the worst needed level at the first rung; each next rung adds 5. */
  readonly baseBps: number;
  /** Farthest any rung may go from the planned price. */
  readonly maxBps: number;
  /** Least time between two attempts on one leg, beyond what its venue holds orders back. */
  readonly attemptMs: number;
}

export interface MakerPolicy {
  /** Longest time an entry is quoted. */
  readonly timeoutMs: number;
  /** The entry may become this much worse than planned before quoting ends. */
  readonly maxAdverseBps: number;
  /** Least time between two prices of the resting order. */
  readonly requoteMs: number;
  /** Post-only orders of one entry. */
  readonly maxQuotes: number;
}

export interface ConfirmPolicy {
  /** Both positions unconfirmed for this long: ask. */
  readonly confirmMs: number;
  /** Unconfirmed for this long: quarantine. */
  readonly confirmMaxMs: number;
}

export interface ClosePolicy {
  /** One leg flat and the other not for this long: any price within the protective cap. */
  readonly maxUnhedgedMs: number;
  /** Not flat after this: quarantine. */
  readonly maxMs: number;
}

export interface DeltaPolicy {
  /** Imbalance as a share of the larger leg. */
  readonly maxRatio: number;
  readonly maxNotional: number;
  readonly dustNotional: number;
  readonly cooldownMs: number;
  /** What somebody else added to a leg is taken for the pair's own and traded with it. */
  readonly claimExternal: boolean;
}

export interface OrderWatchPolicy {
  /** No answer for this long: unknown. */
  readonly ackMs: number;
  /** Unknown for this long past the request's validity: lost. */
  readonly resolveMs: number;
  /** Questions asked about one unknown order before it counts as lost, its death being provable by then. */
  readonly resolveQueries: number;
}

export interface CooldownPolicy {
  readonly base: number;
  readonly factor: number;
  readonly max: number;
}

/** The field names are those of the configuration's sections: each section fits as it is. */
export interface ExecutionPolicy {
  readonly hedge: HedgePolicy;
  readonly maker: MakerPolicy;
  readonly open: ConfirmPolicy;
  readonly close: ClosePolicy;
  readonly delta: DeltaPolicy;
  readonly order: OrderWatchPolicy;
  readonly cooldown: CooldownPolicy;
  /** While one venue gives no account of its leg, the other's stands alone at most this long. */
  readonly exposure: { readonly oneVenueMsMax: number };
  /** A mismatch this soon after an event is not believed yet. */
  readonly reconcile: {
    readonly recentMs: number;
    /** Pause between two looks at unsettled orders while the pair is open, and while it is in between. */
    readonly intervalMs: number;
    readonly busyIntervalMs: number;
    /** The same while something stands alone. */
    readonly urgentIntervalMs: number;
  };
  /** A half-open pair younger than this may be completed after a restart. */
  readonly recovery: {
    readonly completeMs: number;
    /** Venues that have not answered by then: the pair is quarantined. */
    readonly maxMs: number;
  };
  readonly quarantine: { readonly autoFlatten: boolean };
}

/** Pause between two alarms about one exposure that a silent venue keeps open. */
export const EXPOSED_ALARM_MS = 10_000;
/** Pause between attempts in quarantine. */
export const QUARANTINE_RETRY_MS = 10_000;
