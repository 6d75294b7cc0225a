/**
 * The thresholds of trading: what to open, how large, when to leave, and what must never be exceeded. Main thread and CLI only.
 *
 * Units: `Bps` is 1e-4 of a price, `H` is calendar hours, `Pct` and `Apr` are percent, `Ms` names its clock in the setting,
 * money is quote units; all other rates, shares and distances are fractions (0.25 is a quarter).
 */
import { z } from 'zod';
import { choice, flag, integer, milliseconds, money, number } from './setting.ts';
import { VENUE_NAMES } from './venue-names.ts';

const HOUR_MS = 3_600_000;

export const entry = z.strictObject({
  maxMarkDivBps: number('bps', 30, [0, 1_000], 'No entry while the two mark prices differ by more than this.'),
  maxHalfSpreadBps: number('bps', 8, [0, 1_000], 'No entry while either leg has a larger half-spread.'),
  minApr: number('percent per year', 20, [0, 10_000], 'Least net carry on the notional of one leg.'),
  minHourly: number(
    'fraction of notional per hour',
    0.00004,
    [0, 0.01],
    'Least net carry per hour; together with minApr the stricter one counts.',
  ),
  roundTripCostRate: number(
    'fraction of notional',
    0.0008,
    [0, 0.1],
    'Assumed cost of opening and closing both legs. Only for the consistency check at load; decisions use real fees and books.',
  ),
  maxBreakEvenH: number('h', 24, [0.1, 100_000], 'Longest time until funding has paid the round trip.'),
  horizonH: number('h', 48, [0.1, 100_000], 'Horizon over which the expected value of an entry is computed.'),
  minEv: money(
    0.8,
    [-10_000, 1_000_000],
    'Least expected value over the horizon. Negative only makes sense in demonstrations.',
  ),
  minEdgeMultiple: number(
    'times',
    2,
    [0, 1_000],
    'Expected funding over the horizon must be this many round-trip costs.',
  ),
  minFavourable: integer(
    'samples',
    3,
    [1, 1_000],
    'Consecutive settlements, or samples 20 min apart, with positive net carry.',
  ),
  mode: choice(
    ['auto', 'taker-taker', 'maker-taker', 'sequential'],
    'auto',
    'How the legs follow one another: both taken at once, one quoted and each fill hedged, or one proven before the other; auto takes the cheapest.',
  ),
  queriedVenues: z
    .array(z.enum(VENUE_NAMES))
    .max(VENUE_NAMES.length)
    .default([])
    .describe(
      'Venues whose fills only a query makes known. In mode auto their leg goes first and is proven. Default none.',
    ),
});

export const maker = z.strictObject({
  minSavingBps: number('bps', 2, [0, 1_000], 'A leg is quoted only when that is expected to save more than this.'),
  fillProbability: number(
    'fraction',
    0.7,
    [0.01, 1],
    'How likely a quote is taken for filled in time; the rest is reckoned as taken later, maxAdverseBps dearer.',
  ),
  timeoutMs: milliseconds(
    'monotonic',
    15_000,
    [500, 600_000],
    'Longest time an entry is quoted; no settlement may come sooner.',
  ),
  maxAdverseBps: number(
    'bps',
    5,
    [0.1, 1_000],
    'Quoting ends when the pair would be entered this much worse than planned.',
  ),
  requoteMs: milliseconds('monotonic', 1_000, [50, 60_000], 'Least time before a quote that the market left is moved.'),
  maxQuotes: integer('orders', 10, [1, 100], 'Post-only orders of one entry.'),
  escalate: flag(false, 'What was not filled in time is taken on both venues, if the entry gates still pass.'),
});

export const sizing = z.strictObject({
  maxNotional: money(2_500, [1, 100_000_000], 'Largest notional of one leg.'),
  capitalShare: number('fraction', 0.25, [0.001, 1], 'Share of the available equity one pair may use.'),
  volFraction: number('fraction', 0.001, [0.000_001, 1], 'Share of the smaller 24 h volume of the two venues.'),
  depthFraction: number(
    'fraction',
    0.2,
    [0.001, 1],
    'Share of the usable depth, on the opening and on the closing side.',
  ),
  maxStepNotional: number('fraction of target notional', 0.05, [0.000_1, 1], 'Coarsest common quantity step.'),
  marginBuffer: number('fraction', 0.3, [0, 0.95], 'Part of the free margin that a new pair leaves untouched.'),
  leverage: number('times', 3, [1, 3], 'Leverage asked of each venue; lowered by tiers and by liq.minEntryDistance.'),
});

export const depth = z.strictObject({
  maxLevelAgeMs: milliseconds('monotonic', 2_000, [50, 60_000], 'Older book levels do not count as depth.'),
  maxWalkBps: number('bps', 25, [0.1, 1_000], 'Levels further from mid do not count as depth.'),
});

export const cap = z.strictObject({
  bufferBps: number('bps', 3, [0, 1_000], 'How far past the worst needed level an order may pay.'),
  maxDevBps: number('bps', 50, [0.1, 5_000], 'How far from mark an order may pay.'),
});

export const hedge = z.strictObject({
  maxUnhedgedMs: milliseconds(
    'monotonic',
    1_500,
    [50, 60_000],
    'Longest time one leg may stand alone before completing or unwinding.',
  ),
  maxAttempts: integer('attempts', 4, [1, 20], 'Rungs of the hedge ladder.'),
  baseBps: number('bps', 5, [0, 500], 'Price cap of the first rung; each next rung adds 5.'),
  maxBps: number('bps', 30, [0, 1_000], 'Widest price cap of the ladder.'),
  attemptMs: milliseconds(
    'monotonic',
    400,
    [10, 60_000],
    'Wait for a definitive result before the next rung, beyond what the venue holds orders back.',
  ),
});

export const open = z.strictObject({
  confirmMs: milliseconds('monotonic', 5_000, [100, 600_000], 'Wait for both positions to be confirmed, then query.'),
  confirmMaxMs: milliseconds('monotonic', 15_000, [100, 600_000], 'Unconfirmed after this: the pair is quarantined.'),
});

export const close = z.strictObject({
  maxUnhedgedMs: milliseconds(
    'monotonic',
    1_500,
    [50, 60_000],
    'One leg flat, the other not, for this long: escalate.',
  ),
  maxMs: milliseconds('monotonic', 60_000, [1_000, 3_600_000], 'Escalation spent after this: the pair is quarantined.'),
});

export const exit = z.strictObject({
  minHoldH: number('h', 0, [0, 100_000], 'Economic exits wait this long after opening; emergencies never wait.'),
  horizonH: number('h', 8, [0.1, 100_000], 'Horizon over which staying is valued.'),
  hysteresis: number(
    'fraction of exit cost',
    0.1,
    [0, 10],
    'Staying must be worse than minus this before carry counts as reversed.',
  ),
  flipHourly: number(
    'fraction of notional per hour',
    -0.000_005,
    [-0.01, 0],
    'Net carry at which a pair counts as flipped; the consistency check keeps entry.minHourly clear of it.',
  ),
  confirm: integer('predictions', 2, [1, 100], 'Distinct predicted values that must agree on a reversal.'),
  takeProfit: money(10, [0.000_001, 1_000_000], 'Leave when closing now would net at least this, exit fees paid.'),
  takeProfitFees: number(
    'times',
    0,
    [0, 1_000],
    "And at least this many times all taker fees of the pair, the exit's included; 0 asks for none.",
  ),
  stopLossPct: number(
    'percent of capital',
    2,
    [0.01, 100],
    "Leave when closing now would lose more than this share of the pair's margin.",
  ),
  maxHoldH: number('h', 240, [0.1, 100_000], 'Leave at this age.'),
  maxIntervalMs: milliseconds('monotonic', 1_000, [10, 60_000], 'Exits are evaluated at least this often.'),
  maxDarkMs: milliseconds('monotonic', 120_000, [1_000, 3_600_000], 'A venue silent for longer raises STALE_VENUE.'),
  maxMarkDivBps: number('bps', 150, [1, 5_000], 'Mark divergence that, sustained, ends the pair.'),
  maxAdlRank: number(
    'fraction',
    0.9,
    [0.01, 1],
    "Place in a venue's queue for deleveraging, 1 being next, from which a leg with a profit ends the pair.",
  ),
  maxMove: number('fraction', 0.15, [0.001, 10], 'Move of the mark within moveWindowMs that ends the pair.'),
  moveWindowMs: milliseconds('calendar', 300_000, [1_000, 24 * HOUR_MS], 'Window of maxMove.'),
});

export const stablecoin = z.strictObject({
  warnGap: number('fraction', 0.003, [0.000_01, 1], 'Quote currencies of two legs this far apart raise an alert.'),
  maxGap: number(
    'fraction',
    0.01,
    [0.000_01, 1],
    'This far apart there are no entries, and pairs are left after 10 s.',
  ),
  rates: z
    .record(
      z.string().regex(/^[A-Z]{2,10}$/, 'must be a currency of capital letters'),
      number('USD', 1, [0.000_1, 10], 'Worth of one unit.'),
    )
    .default({})
    .describe('Worth of quote currencies in USD where no two venues show it by their prices of one underlying.'),
});

export const rotation = z.strictObject({
  margin: money(1, [0, 1_000_000], 'What closing a pair for a better one must gain beyond all costs of both.'),
  perDay: integer('rotations', 2, [0, 16], 'Pairs closed for better ones within 24 h; 0 turns rotation off.'),
  confirmMs: milliseconds('monotonic', 60_000, [0, HOUR_MS], 'The gain must have lasted this long without a break.'),
  minHoldH: number('h', 8, [0, 100_000], 'A pair is held at least this long before it may make room.'),
});

export const settle = z.strictObject({
  guardMs: milliseconds(
    'calendar',
    15_000,
    [0, 1_800_000],
    'Band on each side of a settlement in which both outcomes are assumed.',
  ),
  minDefer: money(0.05, [0, 1_000_000], 'A coming payment worth waiting for with a non-urgent exit.'),
  deferMs: milliseconds('calendar', 600_000, [0, HOUR_MS], 'Longest wait for such a payment.'),
});

export const cooldown = z.strictObject({
  base: milliseconds('monotonic', 60_000, [0, 24 * HOUR_MS], 'Pause of a pair after a failed entry.'),
  factor: number('times', 4, [1, 100], 'Growth of the pause with each consecutive failure.'),
  max: milliseconds('monotonic', HOUR_MS, [0, 24 * HOUR_MS], 'Longest pause.'),
});

export const liq = z.strictObject({
  minEntryDistance: number('fraction of mark', 0.25, [0.01, 0.95], 'Required distance to liquidation of a new leg.'),
  warn: number('fraction of mark', 0.2, [0.001, 0.95], 'Distance that raises an alert.'),
  reduce: number('fraction of mark', 0.15, [0.001, 0.95], 'Distance at which the pair is reduced.'),
  critical: number('fraction of mark', 0.1, [0.001, 0.95], 'Distance at which the pair is closed at once.'),
  venueStop: number('fraction of mark', 0, [0, 0.95], 'Distance at which stops stand at the venues; 0 places none.'),
});

export const fundingCheck = z.strictObject({
  minSettlements: integer('settlements', 3, [1, 100], 'Settlements that prove the unit of a predicted rate.'),
  unprovenMaxNotional: money(100, [0, 100_000_000], 'Largest notional of one leg while the unit is unproven.'),
});

export const forecast = z.strictObject({
  halfLifeH: number('h', 8, [0.01, 10_000], "Half-life of a rate's way back to its median."),
  lookbackH: number('h', 72, [1, 10_000], 'Settled rates that make the median.'),
  haircut: number('fraction', 0.25, [0, 1], "Share of each leg's expected funding taken off in the adverse direction."),
  premiumWeight: number(
    'fraction',
    0,
    [0, 1],
    'How far the premium of this moment stands for the rest of a funding period. A moment is noisy: more than 0 turns pairs over more often.',
  ),
});

export const match = z.strictObject({
  maxMarkGap: number('fraction', 0.02, [0.000_1, 0.5], 'Marks further apart than this are not the same underlying.'),
});

export const delta = z.strictObject({
  maxRatio: number('fraction', 0.03, [0.000_1, 1], 'Imbalance over the larger leg that triggers rebalancing.'),
  maxNotional: money(150, [0, 100_000_000], 'Imbalance notional that triggers rebalancing.'),
  dustNotional: money(5, [0, 10_000], 'Smaller imbalances are left alone.'),
  cooldownMs: milliseconds('monotonic', 30_000, [0, HOUR_MS], 'Least time between two rebalancings of a pair.'),
  claimExternal: flag(false, "Lots that somebody else added to a leg are treated as the pair's own, and traded."),
});

export const order = z.strictObject({
  ackMs: milliseconds(
    'monotonic',
    2_000,
    [50, 120_000],
    'An order without an answer after this is unknown, never rejected.',
  ),
  requestValidityMs: milliseconds(
    'monotonic',
    5_000,
    [200, 120_000],
    'A venue must not accept an order later than this after it was made; shorter proves a lost one dead sooner.',
  ),
  notFoundGraceMs: milliseconds(
    'monotonic',
    3_000,
    [0, 120_000],
    'A not-found answer counts only this long after sending.',
  ),
  resolveMs: milliseconds(
    'monotonic',
    10_000,
    [100, 600_000],
    'An order unknown for longer is lost and its pair quarantined.',
  ),
  slowCommitMs: milliseconds(
    'monotonic',
    50,
    [50, 60_000],
    'An order that adds exposure is not sent when the commit of its intent took longer; three times take the engine down.',
  ),
  deadMan: flag(
    true,
    'Venues that offer it cancel all orders of the account when this process is silent for a while; false leaves them alone.',
  ),
  resolveQueries: integer('queries', 8, [2, 100], 'Queries spent on one unknown order.'),
});

export const stale = z.strictObject({
  bookMs: milliseconds('monotonic', 2_000, [50, 600_000], 'Oldest book an entry may rest on.'),
  markMs: milliseconds('monotonic', 5_000, [50, 600_000], 'Oldest mark price an entry may rest on.'),
  fundingMs: milliseconds('monotonic', 120_000, [50, 3_600_000], 'Oldest predicted rate an entry may rest on.'),
  accountMs: milliseconds('monotonic', 15_000, [50, 3_600_000], 'Oldest account state an entry may rest on.'),
});

export const clock = z.strictObject({
  warnOffsetMs: milliseconds('monotonic', 500, [1, 60_000], 'Venue clock offset that raises an alert.'),
  maxOffsetMs: milliseconds('monotonic', 2_000, [1, 60_000], 'Venue clock offset that blocks entries.'),
});

export const reconcile = z.strictObject({
  intervalMs: milliseconds('monotonic', 15_000, [100, 600_000], 'Time between checks while every pair is open.'),
  busyIntervalMs: milliseconds(
    'monotonic',
    5_000,
    [100, 600_000],
    'The same while the pair is in between, or halfway to its liquidation, its stop or its profit to take.',
  ),
  urgentIntervalMs: milliseconds(
    'monotonic',
    1_000,
    [100, 600_000],
    'The same while something stands unhedged, or 80 % of that way is gone.',
  ),
  comparisonMs: milliseconds(
    'monotonic',
    30_000,
    [100, 600_000],
    'Time between full comparisons of positions and open orders.',
  ),
  recentMs: milliseconds('monotonic', 3_000, [0, 600_000], 'A mismatch this soon after an event is not believed yet.'),
});

export const recovery = z.strictObject({
  completeMs: milliseconds(
    'monotonic',
    10_000,
    [0, 600_000],
    'A half-open pair younger than this may be completed, an older one is unwound.',
  ),
  maxMs: milliseconds('monotonic', 60_000, [1_000, 3_600_000], 'Recovery of a pair must have ended by then.'),
});

export const quarantine = z.strictObject({
  autoFlatten: flag(true, 'Unwind a quarantined imbalance without an operator.'),
});

export const risk = z.strictObject({
  maxPairs: integer('pairs', 5, [0, 1_000], 'Open pairs.'),
  maxPairNotional: money(5_000, [1, 100_000_000], 'Notional of one leg of a pair.'),
  maxSymbolNotional: money(10_000, [1, 1_000_000_000], 'Gross notional in one symbol, all legs added.'),
  maxVenueNotional: money(25_000, [1, 1_000_000_000], 'Gross notional on one venue.'),
  maxTotalNotional: money(50_000, [1, 1_000_000_000], 'Gross notional of all legs.'),
  maxPairLoss: money(
    50,
    [0.01, 100_000_000],
    'Worst case of a pair before it is entered: filled at its limits, closed at the cap, no funding.',
  ),
  maxVenueMarginUse: number('fraction', 0.6, [0.01, 1], "Share of a venue's equity used as margin."),
  maxLeverage: number('times', 3, [1, 3], 'Leverage no leg may exceed.'),
  dailyLoss: money(100, [0.01, 100_000_000], 'Realised and unrealised loss of one UTC day that ends trading.'),
  maxDrawdown: money(300, [0.01, 100_000_000], 'Fall from the highest equity that ends trading.'),
  maxConsecutiveLosses: integer('pairs', 3, [1, 1_000], 'Losing or failing pairs in a row that pause entries.'),
  entryPauseMs: milliseconds('monotonic', 900_000, [0, 24 * HOUR_MS], 'Length of that pause.'),
  maxUnhedgedNotional: money(2_500, [1, 100_000_000], 'Unhedged notional of all pairs at one instant.'),
  imbalanceOneVenueMsMax: milliseconds(
    'monotonic',
    15_000,
    [1_000, 600_000],
    'While one venue gives no account of its leg, the leg on the other stands alone at most this long.',
  ),
  maxExposureQuoteSec: number('quote x s', 50_000, [1, 1_000_000_000], 'Unhedged notional times time, per UTC day.'),
  maxOrderNotional: money(5_000, [1, 100_000_000], 'Last gate: notional of one order.'),
  maxOpenOrders: integer('orders', 20, [1, 10_000], 'Last gate: own open orders on one account.'),
  maxOrdersPerMinute: integer(
    'orders per min',
    300,
    [1, 60_000],
    'Last gate: orders on one account, reducing ones free.',
  ),
  maxOrdersPerDay: integer('orders per day', 20_000, [1, 10_000_000], 'Last gate: opening orders on one account.'),
  maxOrdersPerSec: number('orders per s', 10, [0.1, 1_000], 'Last gate: orders on one account.'),
  priceCollarBps: number('bps', 100, [1, 5_000], 'Last gate: how far from the index an order price may be.'),
});
