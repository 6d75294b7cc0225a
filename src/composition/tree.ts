/** The supervision tree of one engine as plain data, from its configuration. Main thread. */
import type { ConnectorArgs } from '../../actors/connector/state.ts';
import type { GuardArgs } from '../../actors/guard.ts';
import type { JournalArgs } from '../../actors/journal.ts';
import type { MonitorArgs } from '../../actors/monitor.ts';
import type { PositionArgs } from '../../actors/position/state.ts';
import type { StrategyArgs } from '../../actors/strategy.ts';
import {
  connectorRef,
  guardRef,
  journalRef,
  monitorRef,
  observerRef,
  positionRef,
  strategyRef,
} from '../../actors/addresses.ts';
import type { TandemConfig } from '../../config/schema.ts';
import type { VenueName } from '../../config/venue-names.ts';
import type { ActorSpec, SupervisorSpec } from '../runtime/child-spec.ts';
import type { Flags } from '../venues/flags.ts';
import { pinActors } from './pinning.ts';
import { entryPolicies, exitPolicies } from './policies.ts';

/** Where one account's venue is reached and who it is there; found out at start, never secret. */
export interface AccountEndpoint {
  readonly venue: VenueName;
  readonly account: string;
  readonly restUrl: string;
  readonly streamUrl: string;
  readonly options: Readonly<Record<string, string | number | boolean>>;
}

export interface TreeInputs {
  readonly config: TandemConfig;
  readonly accounts: readonly AccountEndpoint[];
  /** Number of this process life. */
  readonly boot: number;
  readonly placement: Placement;
}

/** Names of the threads that run what; `main` when a count is 0. */
export interface Placement {
  readonly io: readonly string[];
  readonly trading: readonly string[];
  readonly store: string;
}

const POSITION_TICK_MS = 250;
const PUBLISH_MS = 5;
/** Strategy waits this long after a start so that resent state is complete. */
const STARTUP_GRACE_MS = 1_000;
const POSITION_SHUTDOWN_MS = 15_000;
const MICRO = 1_000_000;

/** Thread names by the configured counts. */
export function placementOf(workers: TandemConfig['workers']): Placement {
  const names = (kind: string, count: number): readonly string[] =>
    count === 0 ? ['main'] : Array.from({ length: count }, (_, index) => `${kind}-${index}`);
  return {
    io: names('io', workers.io),
    trading: names('trading', workers.trading),
    store: workers.io === 0 && workers.trading === 0 ? 'main' : 'store',
  };
}

/** Builds the tree that `README.md` draws, its actors where the configuration wants them. Throws on a rule it cannot follow. */
export function supervisionTree(inputs: TreeInputs): SupervisorSpec {
  const { config, placement } = inputs;
  return pinActors(spreadTree(inputs), config.placement, ({ kind, thread = 'main' }) => {
    if (kind === 'connector') return placement.io;
    if (kind === 'monitor') return [placement.store];
    return kind === 'position' || kind === 'guard' || kind === 'strategy' ? placement.trading : [thread];
  });
}

/** The tree with its actors spread over the threads of their kind. */
function spreadTree(inputs: TreeInputs): SupervisorSpec {
  const { config, accounts, placement } = inputs;
  const trading = placement.trading[0] ?? 'main';
  return {
    type: 'supervisor',
    id: 'root',
    strategy: 'one-for-one',
    children: [
      {
        type: 'actor',
        id: journalRef.path,
        kind: 'journal',
        args: journalArgs,
        thread: placement.store,
        shutdownMs: POSITION_SHUTDOWN_MS,
      },
      { type: 'actor', id: observerRef.path, kind: 'observer', args: {} },
      { type: 'actor', id: monitorRef.path, kind: 'monitor', args: monitorArgs(inputs), thread: placement.store },
      {
        type: 'supervisor',
        id: 'venues',
        strategy: 'one-for-one',
        children: accounts.map((account, index) => connectorSpec(inputs, account, at(placement.io, index))),
      },
      {
        type: 'supervisor',
        id: 'trading',
        strategy: 'rest-for-one',
        children: [
          { type: 'actor', id: guardRef.path, kind: 'guard', args: guardArgs(inputs), thread: trading },
          {
            type: 'supervisor',
            id: 'positions',
            strategy: 'one-for-one',
            children: config.symbols.map((base, index) => ({
              type: 'actor',
              id: positionRef(base).path,
              kind: 'position',
              args: positionArgs(inputs, base, index),
              thread: at(placement.trading, index),
              shutdownMs: POSITION_SHUTDOWN_MS,
            })),
          },
          { type: 'actor', id: strategyRef.path, kind: 'strategy', args: strategyArgs(inputs), thread: trading },
        ],
      },
    ],
  };
}

function at(threads: readonly string[], index: number): string {
  return threads[index % threads.length] ?? 'main';
}

function connectorSpec(inputs: TreeInputs, endpoint: AccountEndpoint, thread: string): ActorSpec {
  const { config } = inputs;
  const { venue, account, restUrl, streamUrl, options } = endpoint;
  const simulated = config.venues[venue];
  const args: ConnectorArgs = {
    venue,
    account,
    settings: { account, restUrl, streamUrl, options, calendarScale: config.calendar.scale },
    bases: config.symbols,
    subscribers: [
      { path: strategyRef.path },
      ...config.symbols.map((base) => ({ path: positionRef(base).path, bases: [base] })),
    ],
    observerPath: observerRef.path,
    journalPath: journalRef.path,
    guardPath: guardRef.path,
    startupQuarantineMs: config.startupQuarantineMs,
    addressSharedBy: inputs.accounts.filter((other) => other.venue === venue).length,
    ...rampOf(config),
    concurrency: {
      calm: config.http.questionsCalm,
      busy: config.http.questionsBusy,
      critical: config.http.questionsCritical,
      criticalWatchers: config.http.criticalWatchers,
    },
    flags: { 'premium-profile': config.http.profile === 'premium', ...definedFlags(config.flags) },
    afterEarlierProcess: inputs.boot > 1,
    requestValidityMs: config.order.requestValidityMs,
    orderAnswerMs: config.order.ackMs,
    notFoundGraceMs: config.order.notFoundGraceMs,
    clockWarnOffsetMs: config.clock.warnOffsetMs,
    comparisonMs: config.reconcile.comparisonMs,
    marketPollMs: config.poll.marketMs,
    fundingPollMs: config.poll.fundingMs,
    publishMs: PUBLISH_MS,
    leverage: {
      wanted: config.sizing.leverage,
      cap: config.risk.maxLeverage,
      distance: config.liq.minEntryDistance,
    },
    ...(simulated?.kind === 'simulated' ? { takerDelayMs: simulated.takerDelayMs } : {}),
    withoutDeadMan: !config.order.deadMan,
    withStops: config.liq.venueStop > 0,
    gate: gateLimits(config),
  };
  // Mailboxes of connectors hold socket frames: a burst must not look like an overrun.
  return {
    type: 'actor',
    id: connectorRef(venue, account).path,
    kind: 'connector',
    args,
    thread,
    mailboxMessagesMax: 16_384,
  };
}

function definedFlags(flags: TandemConfig['flags']): Partial<Flags> {
  return Object.fromEntries(Object.entries(flags).filter(([, isOn]) => isOn !== undefined));
}

function rampOf({ mode, limits }: TandemConfig): Pick<ConnectorArgs, 'usageRamp'> {
  const { ramp, rampStartShare, rampStepShare, rampStepMs } = limits;
  if (ramp === 'never' || (ramp === 'live' && mode !== 'live')) return {};
  return { usageRamp: { startShare: rampStartShare, stepShare: rampStepShare, stepMs: rampStepMs } };
}

const journalArgs: JournalArgs = { guard: guardRef };

function monitorArgs({ config }: TreeInputs): MonitorArgs {
  return {
    journalPath: journalRef.path,
    guardPath: guardRef.path,
    observerPath: observerRef.path,
    bases: config.symbols,
    calendarScale: config.calendar.scale,
  };
}

/** One account's limits at the last gate. */
function gateLimits({ risk }: TandemConfig): ConnectorArgs['gate'] {
  return {
    maxOrderNotionalMicro: micro(risk.maxOrderNotional),
    maxPositionNotionalMicro: micro(risk.maxSymbolNotional),
    maxOpenOrders: risk.maxOpenOrders,
    maxOrdersPerSec: risk.maxOrdersPerSec,
    maxOrdersPerMinute: risk.maxOrdersPerMinute,
    maxOrdersPerDay: risk.maxOrdersPerDay,
    priceCollarBps: risk.priceCollarBps,
    dailyLossMicro: micro(risk.dailyLoss),
  };
}

function guardArgs({ config, accounts }: TreeInputs): GuardArgs {
  const { risk } = config;
  return {
    limits: {
      dailyLossMicro: micro(risk.dailyLoss),
      maxDrawdownMicro: micro(risk.maxDrawdown),
      maxConsecutiveLosses: risk.maxConsecutiveLosses,
      maxExposureQuoteSec: risk.maxExposureQuoteSec,
      entryPauseMs: risk.entryPauseMs,
    },
    resumeTrading: config.resumeTrading,
    bases: config.symbols,
    journalPath: journalRef.path,
    recipientPaths: [strategyRef.path, observerRef.path, ...config.symbols.map((base) => positionRef(base).path)],
    connectorPaths: accounts.map(({ venue, account }) => connectorRef(venue, account).path),
    watchedPaths: [journalRef.path, ...config.symbols.map((base) => positionRef(base).path)],
  };
}

function positionArgs({ config, accounts, boot }: TreeInputs, base: string, symbolIndex: number): PositionArgs {
  const { hedge, maker, open, close, delta, order, cooldown, reconcile, recovery, quarantine } = config;
  const policies = entryPolicies(config);
  return {
    base,
    symbolIndex,
    boot,
    calendarScale: config.calendar.scale,
    positionTickMs: Math.min(POSITION_TICK_MS, config.exit.maxIntervalMs),
    venues: accounts.map(({ venue, account }) => ({
      venue,
      account,
      connectorPath: connectorRef(venue, account).path,
      requestValidityMs: order.requestValidityMs,
    })),
    journalPath: journalRef.path,
    strategyPath: strategyRef.path,
    guardPath: guardRef.path,
    observerPath: observerRef.path,
    execution: {
      hedge,
      maker,
      open,
      close,
      delta,
      order,
      cooldown,
      exposure: { oneVenueMsMax: config.risk.imbalanceOneVenueMsMax },
      reconcile,
      recovery,
      quarantine,
    },
    exits: exitPolicies(config),
    cap: policies.cap,
    stale: policies.stale,
    clock: policies.clock,
    entry: { ...policies, lastGate: gateLimits(config) },
    gate: gateLimits(config),
    slowCommitMs: order.slowCommitMs,
    leverage: { wanted: config.sizing.leverage, max: config.risk.maxLeverage },
  };
}

function strategyArgs({ config, accounts }: TreeInputs): StrategyArgs {
  return {
    policy: { ...entryPolicies(config), lastGate: gateLimits(config) },
    venues: accounts.map(({ venue, account }) => ({
      venue,
      account,
      connectorPath: connectorRef(venue, account).path,
    })),
    venuePairs: config.venuePairs.map(
      ([one, other]) => [`${one.venue}:${one.account}`, `${other.venue}:${other.account}`] as const,
    ),
    bases: config.symbols,
    calendarScale: config.calendar.scale,
    scanIntervalMs: config.poll.scanMs,
    startupGraceMs: STARTUP_GRACE_MS,
    guardPath: guardRef.path,
    observerPath: observerRef.path,
    quoteRatesUsd: config.stablecoin.rates,
    rotation: {
      marginQuote: config.rotation.margin,
      perDay: config.rotation.perDay,
      confirmMs: config.rotation.confirmMs,
      minHoldHours: config.rotation.minHoldH,
    },
  };
}

/** Configured money (at most six decimals by schema) as micro-units. */
function micro(quote: number): bigint {
  return BigInt(Math.round(quote * MICRO));
}
