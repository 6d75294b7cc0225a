/** Finds settings that are each legal but impossible together. A pure function of the validated configuration; any thread. */
import {
  accountTypes,
  calendarAnchor,
  keysShared,
  knownMarkets,
  placementRules,
  portsTaken,
} from './market-contradictions.ts';
import type { TandemConfig } from './schema.ts';

export interface Contradiction {
  /** The setting to point at. */
  readonly path: readonly (string | number)[];
  /** What must hold, with both sides' values. */
  readonly rule: string;
}

/** Returns every contradiction of the configuration, in the order of the file; empty when it can be run. */
export function findContradictions(config: TandemConfig): readonly Contradiction[] {
  return [
    ...modeAgainstVenues(config),
    ...accountNames(config),
    ...venuePairs(config),
    ...keysShared(config),
    ...duplicateSymbols(config),
    ...accountTypes(config),
    ...knownMarkets(config),
    ...calendarAndTape(config),
    ...calendarAnchor(config),
    ...placementRules(config),
    ...controlAddress(config),
    ...portsTaken(config),
    ...alertSinks(config),
    ...queriedVenues(config),
    ...carryThresholds(config),
    ...orderedThresholds(config),
  ];
}

function alertSinks({ alerts: { telegram, webhook } }: TandemConfig): Contradiction[] {
  const found: Contradiction[] = [];
  const telegramNeeds = (isNeeded: boolean, key: 'keyFile' | 'chatIds' | 'userIds', rule: string): void => {
    if (isNeeded) found.push({ path: ['alerts', 'telegram', key], rule });
  };
  const isUsed = telegram.enabled || telegram.commands;
  telegramNeeds(isUsed && telegram.keyFile === undefined, 'keyFile', 'must name a file with the token of the bot');
  telegramNeeds(telegram.enabled && telegram.chatIds.length === 0, 'chatIds', 'must name at least one chat');
  telegramNeeds(telegram.commands && telegram.userIds.length === 0, 'userIds', 'must name at least one user');
  if (webhook.enabled && (webhook.url === undefined) === (webhook.keyFile === undefined))
    found.push({ path: ['alerts', 'webhook', 'url'], rule: 'must be given, or keyFile, and not both' });
  return found;
}

function modeAgainstVenues(config: TandemConfig): Contradiction[] {
  const found: Contradiction[] = [];
  for (const [name, venue] of Object.entries(config.venues)) {
    if (venue.kind !== config.mode) {
      found.push({
        path: ['venues', name, 'kind'],
        rule: `must be "${config.mode}" because mode is "${config.mode}": a simulated leg does not hedge a live one`,
      });
    }
    if (venue.kind === 'simulated' && (venue.restUrl === undefined) !== (venue.streamUrl === undefined)) {
      found.push({ path: ['venues', name], rule: 'must have both restUrl and streamUrl, or neither' });
    }
  }
  return found;
}

function accountNames(config: TandemConfig): Contradiction[] {
  return Object.entries(config.venues).flatMap(([name, venue]) =>
    repeatedIndexes(venue.accounts.map((account) => account.name)).map((index) => ({
      path: ['venues', name, 'accounts', index, 'name'],
      rule: 'must be unique within its venue',
    })),
  );
}

function venuePairs(config: TandemConfig): Contradiction[] {
  const found: Contradiction[] = [];
  const known = new Set(
    Object.entries(config.venues).flatMap(([name, venue]) =>
      venue.accounts.map((account) => `${name}:${account.name}`),
    ),
  );
  config.venuePairs.forEach(([first, second], index) => {
    for (const [side, leg] of [first, second].entries()) {
      if (!known.has(`${leg.venue}:${leg.account}`)) {
        found.push({
          path: ['venuePairs', index, side],
          rule: `must be a configured account (${[...known].join(', ')})`,
        });
      }
    }
    if (first.venue === second.venue) {
      found.push({ path: ['venuePairs', index], rule: 'must name two different venues' });
    }
  });
  const routes = config.venuePairs.map((pair) =>
    pair
      .map((leg) => `${leg.venue}:${leg.account}`)
      .sort()
      .join(' '),
  );
  for (const index of repeatedIndexes(routes)) {
    found.push({ path: ['venuePairs', index], rule: 'must not repeat an earlier pair' });
  }
  return found;
}

function duplicateSymbols(config: TandemConfig): Contradiction[] {
  return repeatedIndexes(config.symbols).map((index) => ({
    path: ['symbols', index],
    rule: 'must not repeat an earlier symbol',
  }));
}

function calendarAndTape(config: TandemConfig): Contradiction[] {
  const found: Contradiction[] = [];
  if (config.mode === 'live') {
    if (config.calendar.scale !== 1) found.push({ path: ['calendar', 'scale'], rule: 'must be 1 when mode is "live"' });
    if (config.calendar.startAt !== 'now') {
      found.push({ path: ['calendar', 'startAt'], rule: 'must be "now" when mode is "live"' });
    }
    if (config.tape !== undefined) found.push({ path: ['tape'], rule: 'must be absent when mode is "live"' });
    return found;
  }
  if (config.tape === undefined) {
    return [{ path: ['tape'], rule: 'must be present when mode is "simulated": it moves the venues' }];
  }
  const driven: ReadonlySet<string> = new Set(Object.keys(config.tape.venues));
  for (const [name, venue] of Object.entries(config.venues)) {
    if (venue.kind === 'simulated' && venue.restUrl === undefined && !driven.has(name)) {
      found.push({ path: ['tape', 'venues'], rule: `must say what drives the simulated venue ${name}` });
    }
  }
  for (const name of driven) {
    if (!Object.hasOwn(config.venues, name)) {
      found.push({ path: ['tape', 'venues', name], rule: 'must be a configured venue' });
    }
  }
  if (config.tape.kind === 'recorded') {
    const { from, to } = config.tape;
    if (from >= to) found.push({ path: ['tape', 'to'], rule: 'must be later than tape.from' });
    const { startAt } = config.calendar;
    if (startAt === 'now' || startAt < from || startAt >= to) {
      found.push({ path: ['calendar', 'startAt'], rule: 'must lie between tape.from and tape.to of a recorded tape' });
    }
  }
  return found;
}

function controlAddress(config: TandemConfig): Contradiction[] {
  const { host, allowRemote } = config.control;
  const loopback = host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
  return loopback || allowRemote
    ? []
    : [{ path: ['control', 'host'], rule: 'must be a loopback address unless control.allowRemote is true' }];
}

function queriedVenues({ entry, venues }: TandemConfig): Contradiction[] {
  return entry.queriedVenues.flatMap((venue, index) =>
    Object.hasOwn(venues, venue)
      ? []
      : [{ path: ['entry', 'queriedVenues', index], rule: 'must be a configured venue' }],
  );
}

/**
 * Refuses thresholds that open pairs only to close them again: the least carry accepted must exceed the carry at which a
 * pair counts as flipped by enough to earn the round trip while it is surely held. With no minimum hold, the longest
 * break-even time entries may have is what they promise.
 */
function carryThresholds({ entry, exit }: TandemConfig): Contradiction[] {
  const [holdName, holdH] =
    exit.minHoldH > 0
      ? (['exit.minHoldH', exit.minHoldH] as const)
      : (['entry.maxBreakEvenH, exit.minHoldH being 0', entry.maxBreakEvenH] as const);
  const needed = Math.abs(exit.flipHourly) + entry.roundTripCostRate / holdH;
  if (entry.minHourly >= needed) return [];
  return [
    {
      path: ['entry', 'minHourly'],
      rule:
        `must be at least |exit.flipHourly| + entry.roundTripCostRate / hold = ` +
        `${Math.abs(exit.flipHourly)} + ${entry.roundTripCostRate} / ${holdH} = ${Number(needed.toPrecision(6))} ` +
        `(hold is ${holdName}), else pairs open that close at once`,
    },
  ];
}

/** Pairs of settings of which the first must not exceed the second. */
function orderedThresholds(config: TandemConfig): Contradiction[] {
  const { entry, exit, hedge, maker, open, liq, sizing, risk, delta, settle, cooldown, clock, reconcile, stablecoin } =
    config;
  const rows: readonly (readonly [smaller: string, value: number, larger: string, limit: number])[] = [
    ['exit.minHoldH', exit.minHoldH, 'exit.maxHoldH', exit.maxHoldH],
    ['entry.maxMarkDivBps', entry.maxMarkDivBps, 'exit.maxMarkDivBps', exit.maxMarkDivBps],
    ['hedge.baseBps', hedge.baseBps, 'hedge.maxBps', hedge.maxBps],
    ['hedge.attemptMs', hedge.attemptMs, 'hedge.maxUnhedgedMs', hedge.maxUnhedgedMs],
    ['maker.requoteMs', maker.requoteMs, 'maker.timeoutMs', maker.timeoutMs],
    // A quote may not become dearer than a hedge ever pays.
    ['maker.maxAdverseBps', maker.maxAdverseBps, 'hedge.maxBps', hedge.maxBps],
    ['open.confirmMs', open.confirmMs, 'open.confirmMaxMs', open.confirmMaxMs],
    ['liq.venueStop', liq.venueStop, 'liq.critical', liq.critical],
    ['liq.critical', liq.critical, 'liq.reduce', liq.reduce],
    ['liq.reduce', liq.reduce, 'liq.warn', liq.warn],
    ['liq.warn', liq.warn, 'liq.minEntryDistance', liq.minEntryDistance],
    ['sizing.leverage', sizing.leverage, 'risk.maxLeverage', risk.maxLeverage],
    ['sizing.maxNotional', sizing.maxNotional, 'risk.maxPairNotional', risk.maxPairNotional],
    ['sizing.maxNotional', sizing.maxNotional, 'risk.maxOrderNotional', risk.maxOrderNotional],
    ['risk.maxPairNotional', risk.maxPairNotional, 'risk.maxSymbolNotional', risk.maxSymbolNotional],
    ['risk.maxSymbolNotional', risk.maxSymbolNotional, 'risk.maxTotalNotional', risk.maxTotalNotional],
    ['risk.maxVenueNotional', risk.maxVenueNotional, 'risk.maxTotalNotional', risk.maxTotalNotional],
    // An order that reaches as far as it may must still pass the last gate.
    ['cap.maxDevBps', config.cap.maxDevBps, 'risk.priceCollarBps', risk.priceCollarBps],
    ['delta.dustNotional', delta.dustNotional, 'delta.maxNotional', delta.maxNotional],
    ['stablecoin.warnGap', stablecoin.warnGap, 'stablecoin.maxGap', stablecoin.maxGap],
    ['settle.guardMs', settle.guardMs, 'settle.deferMs', settle.deferMs],
    ['cooldown.base', cooldown.base, 'cooldown.max', cooldown.max],
    ['clock.warnOffsetMs', clock.warnOffsetMs, 'clock.maxOffsetMs', clock.maxOffsetMs],
    ['reconcile.urgentIntervalMs', reconcile.urgentIntervalMs, 'reconcile.busyIntervalMs', reconcile.busyIntervalMs],
    ['reconcile.busyIntervalMs', reconcile.busyIntervalMs, 'reconcile.intervalMs', reconcile.intervalMs],
  ];
  return rows
    .filter(([, value, , limit]) => value > limit)
    .map(([smaller, , larger, limit]) => ({ path: smaller.split('.'), rule: `must be at most ${larger} (${limit})` }));
}

function repeatedIndexes(values: readonly string[]): number[] {
  return values.flatMap((value, index) => (values.indexOf(value) < index ? [index] : []));
}
