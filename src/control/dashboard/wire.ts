/** What the control server's JSON looks like on this side: the engine's own types, with bigints as decimal text. Types only; browser. */
import type { PairSummary, TradingSummary, TradingTotals, VenueSummary } from '../../../actors/observer.ts';
import type { BaseReason, Reasons } from '../why.ts';
import type { ActorTree, SupervisorNode, ThreadView, TreeNode } from '../actor-tree.ts';
import type { PairStatistics } from '../../execution/pair-statistics.ts';
import type { EngineSummary } from '../engine-summary.ts';
import type { ActiveAlert, Notice } from '../../observe/alert-engine.ts';
import type { AlertRule } from '../../observe/alert-rules.ts';
import type { SinkView } from '../../observe/live/sink-queue.ts';
import type { SeriesHistory } from '../../observe/history.ts';
import type { AccountLimits } from '../limits-picture.ts';
import type { JournalPage, PairAtRow } from '../journal-view.ts';
import type { ActorInspection } from '../../runtime/snapshot.ts';
import type { Trace } from '../../runtime/trace-store.ts';

/** The same shape after JSON: bigints are text, functions are gone. */
export type Wire<T> = T extends bigint
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Wire<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Wire<T[Key]> }
      : T;

export type Summary = Wire<EngineSummary>;
export type Trading = Wire<TradingSummary>;
export type Totals = Wire<TradingTotals>;
export type Pair = Wire<PairSummary>;
export type Venue = Wire<VenueSummary>;
export type Closed = Wire<PairStatistics>;
export type Why = Wire<Reasons>;
export type WhyBase = Wire<BaseReason>;
export type Tree = Wire<ActorTree>;
export type Node = Wire<TreeNode>;
export type Supervisor = Wire<SupervisorNode>;
export type Thread = Wire<ThreadView>;
export type Inspection = Wire<ActorInspection>;
export type TraceView = Wire<Trace>;
export type Rows = Wire<JournalPage>;
export type Limited = Wire<{ readonly accounts: readonly AccountLimits[] }>;
export interface HistoryAnswer {
  readonly series: readonly SeriesHistory[];
}
export interface Alerting {
  readonly rules: Readonly<Record<string, AlertRule>>;
  readonly active: readonly ActiveAlert[];
  /** Oldest first. */
  readonly recent: readonly Notice[];
  readonly sinks: readonly SinkView[];
}
export type AtRow = Wire<PairAtRow>;
