/** What a connector does by itself: getting started, and everything that is read again from time to time. Connector thread. */
import { unlistedSentence } from '../../src/venues/access.ts';
import type { VenueEvent } from '../../src/venues/venue.ts';
import { advanceDeadMan } from './dead-man.ts';
import { ageDoubts } from './doubts.ts';
import { repeatAppends } from './facts.ts';
import { advanceFillReading } from './fill-reading.ts';
import { endFallBacks } from './fall-back.ts';
import { advanceFlags } from './flags.ts';
import { advanceFunding } from './funding.ts';
import { advanceLeaving } from './leave.ts';
import { advanceLeverage } from './leverage.ts';
import { readNonce } from './nonces.ts';
import { retellAccount } from './publish.ts';
import { reportReads } from './read-report.ts';
import { isDue, readAgain, requestAll, retryPauseMs } from './requests.ts';
import { advanceResolving } from './resolve.ts';
import { openSockets, tickSockets } from './sockets.ts';
import { instant } from './state.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';
import { tellStatus } from './status.ts';
import { advanceSubmissions } from './submissions.ts';
import { advanceSweep } from './sweep.ts';
import { advanceUsage } from './usage-ramp.ts';
import { watchOwnClock, watchVenueClock } from './venue-clock.ts';

const SERVER_TIME_MS = 60_000;
const INSTRUMENTS_MS = 3_600_000;
/** A list of instruments this old will do for a start. */
const METADATA_MS = 600_000;
/** What another account's connector has read so recently is read again for neither. */
const SHARED_MS = 1_000;
const DAY_MS = 86_400_000;
/** Settled funding read at start, for histories and forecasts. Calendar ms. */
const FUNDING_HISTORY_MS = 72 * 3_600_000;

/** Step one: what can be traded here, what it costs, and what time it is there. Tried until it works. */
export function startUp(state: ConnectorState, self: ConnectorSelf): void {
  const { adapter, args, startUp: track } = state;
  track.active = true;
  const questions = [
    adapter.serverTime(),
    adapter.instruments(),
    adapter.feeTier(instant(self)),
    ...(adapter.keyRights === undefined ? [] : [adapter.keyRights(instant(self))]),
  ];
  // What an account beside this one has just read does as well. A later life may have begun because of what an instrument was: it reads
  // anew.
  const keptMs = self.incarnation === 1 ? METADATA_MS : 0;
  const urgency = { priority: 2, sinceMs: self.monotonicMs() - keptMs } as const;
  requestAll(state, self, questions, urgency, (outcome) => {
    track.active = false;
    if (state.leave?.isGone === true) return;
    const problem = outcome.ok ? missing(state) : (outcome.error?.message ?? '');
    if (problem !== undefined) {
      track.failures += 1;
      track.nextAtMs = self.monotonicMs() + retryPauseMs(self, track.failures);
      self.log('warn', 'start-failed', { venue: args.venue, problem });
      tellStatus(state, self);
      return;
    }
    const now = self.monotonicMs();
    state.isRunning = true;
    tellUnlisted(state, self);
    state.accessRefused = undefined;
    state.serverTime.nextAtMs = now + SERVER_TIME_MS;
    state.instrumentList.nextAtMs = now + INSTRUMENTS_MS;
    state.feeDay = dayOf(self);
    for (const symbol of state.symbols) state.historyMissing.add(symbol);
    for (const symbol of state.symbols) state.tiersMissing.add(symbol);
    openSockets(state, self);
    readNonce(state, self, () => advanceSubmissions(state, self));
    readAgainWhatIsDue(state, self);
    tellStatus(state, self);
  });
}

/** Returns why there is nothing to run, or undefined. */
function missing(state: ConnectorState): string | undefined {
  return state.symbols.length === 0 ? unlistedSentence(state.args.venue, state.args.bases) : undefined;
}

/** What is not traded here although it was asked for is said once: the venue may list it under another name, or not at all. */
function tellUnlisted(state: ConnectorState, self: ConnectorSelf): void {
  const listed = new Set(state.symbols.map((symbol) => state.baseBySymbol.get(symbol)));
  const unlisted = state.args.bases.filter((base) => !listed.has(base));
  if (unlisted.length === 0) return;
  self.log('warn', 'symbols-not-listed', { reason: unlistedSentence(state.args.venue, unlisted) });
}

/** The regular work; returns the facts that the stream's own timed work brought. */
export function tick(state: ConnectorState, self: ConnectorSelf, apply: (events: readonly VenueEvent[]) => void): void {
  watchOwnClock(state, self);
  watchVenueClock(state, self);
  repeatAppends(state, self);
  ageDoubts(state, self);
  reportReads(state, self);
  advanceUsage(state, self);
  advanceFlags(state, self);
  endFallBacks(state, self);
  advanceLeaving(state, self);
  if (state.leave?.isGone === true) {
    // Nothing is done here any more, and nothing begun.
  } else if (state.isUntrusted) {
    // What waits to be sent ends when its time is over.
    advanceSubmissions(state, self);
  } else if (!state.isRunning) {
    if (isDue(state.startUp, self.monotonicMs())) startUp(state, self);
  } else {
    apply(tickSockets(state, self));
    advanceResolving(state, self);
    advanceSubmissions(state, self);
    advanceSweep(state, self);
    advanceFillReading(state, self);
    advanceFunding(state, self);
    advanceLeverage(state, self);
    advanceDeadMan(state, self);
    readAgainWhatIsDue(state, self);
    retellAccount(state, self);
  }
  tellStatus(state, self);
}

function readAgainWhatIsDue(state: ConnectorState, self: ConnectorSelf): void {
  const { adapter } = state;
  const at = instant(self);
  const now = at.monotonicMs;
  if (isDue(state.serverTime, now))
    readAgain(state, self, state.serverTime, SERVER_TIME_MS, [adapter.serverTime()], { priority: 5 });
  if (isDue(state.instrumentList, now))
    readAgain(
      state,
      self,
      state.instrumentList,
      INSTRUMENTS_MS,
      [adapter.instruments()],
      { priority: 5, sinceMs: now - SHARED_MS },
      (ok) => {
        if (!ok) return;
        openSockets(state, self);
        for (const symbol of state.symbols) state.tiersMissing.add(symbol);
      },
    );
  const day = dayOf(self);
  if (day !== state.feeDay && isDue(state.feeTier, now))
    readAgain(state, self, state.feeTier, 0, [adapter.feeTier(at)], { priority: 4 }, (ok) => {
      if (ok) state.feeDay = day;
    });
  if (adapter.marketPoll !== undefined && isDue(state.marketPoll, now))
    readAgain(state, self, state.marketPoll, state.args.marketPollMs, [adapter.marketPoll(at)], {
      priority: 5,
      sinceMs: now - SHARED_MS,
    });
  readTiers(state, self);
  readHistory(state, self);
}

/** One symbol after another: until then the careful terms of the list hold. Before the histories, which are long. */
function readTiers(state: ConnectorState, self: ConnectorSelf): void {
  const [symbol] = state.tiersMissing;
  const question = symbol === undefined ? undefined : state.adapter.marginTiersOf?.(symbol);
  if (symbol === undefined || question === undefined || !isDue(state.tiers, self.monotonicMs())) return;
  readAgain(state, self, state.tiers, 0, [question], { priority: 5 }, (ok) => {
    if (!ok) return;
    state.tiersMissing.delete(symbol);
    readTiers(state, self);
  });
}

/** One symbol after another: histories are long and nobody is in a hurry. */
function readHistory(state: ConnectorState, self: ConnectorSelf): void {
  const [symbol] = state.historyMissing;
  if (symbol === undefined || !isDue(state.history, self.monotonicMs())) return;
  const question = state.adapter.fundingHistory(symbol, self.nowMs() - FUNDING_HISTORY_MS, instant(self));
  readAgain(state, self, state.history, 0, [question], { priority: 5 }, (ok) => {
    if (!ok) return;
    state.historyMissing.delete(symbol);
    readHistory(state, self);
  });
}

function dayOf(self: ConnectorSelf): number {
  return Math.floor(self.nowMs() / DAY_MS);
}
