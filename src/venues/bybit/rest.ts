/** Bybit's REST operations: what to ask, and what the answer says. Pure; connector thread. */
import type { Instrument } from '../../market/instrument.ts';
import { asFields, malformed, reading, sampleOf } from '../json.ts';
import { MalformedPayload } from '../venue.ts';
import type { Instant, Operation, OperationResult, OrderReport, VenueEvent } from '../venue.ts';
import { asList, integerField, optionalText, textField, timeField } from '../fields.ts';
import { eachKnown, listing, operation, pageOf, withCursor } from './operation.ts';
import type { RestAccess } from './operation.ts';
import {
  parseExecution,
  parseFees,
  parseInstrument,
  parseKeyRights,
  parseOrder,
  parsePosition,
  parseRiskLimits,
  parseSettledRate,
  settledIntervals,
  parseWallet,
  tickerEvents,
  tickerFields,
} from './parse.ts';
import type { RequestTimes } from './sign.ts';
import { CATEGORY, queryOf } from './wire.ts';

const NANO_PER_MS = 1_000_000n;
const DAY_MS = 86_400_000;
/** The longest stretch of executions that one question may name. */
const EXECUTIONS_SPAN_MS = 7 * DAY_MS;
/** How long the venue keeps them. */
const EXECUTIONS_KEPT_MS = 730 * DAY_MS;
/** How far our clock may be behind the venue's, real ms: what happened since is asked for without an end. */
const CLOCK_BEHIND_MAX_MS = 2_000;
/** The most for one answer: two months where funding settles every eight hours. */
const FUNDING_RATES_LIMIT = 200;
/** The stream is a second old at most where anything moves. */
const QUIET_TICKER_MS = 3_000;
/** Questions one poll of the market may take. */
const POLL_QUESTIONS_MAX = 40;

export function serverTimeOperation(access: RestAccess): Operation {
  return operation(access, {
    path: '/v5/market/time',
    payload: '',
    priority: 5,
    read: ({ result }) => {
      const nano = integerField(result, 'timeNano', 'server time');
      return { events: [{ type: 'server-time', serverMs: Number(nano / NANO_PER_MS) }] };
    },
  });
}

export function instrumentsOperation(access: RestAccess): Operation {
  const { markets } = access;
  return listing(access, {
    path: '/v5/market/instruments-info',
    query: [
      ['category', CATEGORY],
      ['limit', 1_000],
    ],
    priority: 5,
    read: (items) => {
      const instruments: Instrument[] = [];
      const events: VenueEvent[] = [];
      for (const item of items) {
        try {
          const instrument = reading('instrument', () => parseInstrument(item, markets.settleCoin));
          if (instrument !== undefined) instruments.push(instrument);
        } catch (error) {
          // One broken listing among hundreds must not hide the others.
          if (!(error instanceof MalformedPayload)) throw error;
          const sample = sampleOf(item);
          events.push({ type: 'malformed-frame', channel: 'market/instruments-info', detail: error.message, sample });
        }
      }
      markets.replace(instruments);
      return [{ type: 'instruments', instruments }, ...events];
    },
  });
}

/** Margin terms by the value of a position. -> margin-tiers; none where the table cannot be relied on. */
export function riskLimitOperation(access: RestAccess, symbol: string): Operation {
  return operation(access, {
    path: '/v5/market/risk-limit',
    payload: queryOf([
      ['category', CATEGORY],
      ['symbol', symbol],
    ]),
    priority: 5,
    read: ({ result }) => {
      const { items } = pageOf(result, 'risk limits', undefined);
      const tiers = parseRiskLimits(items, symbol);
      return { events: tiers === undefined ? [] : [{ type: 'margin-tiers', symbol, tiers }] };
    },
  });
}

/** Settled rates, newest last. The venue answers at most 200, the newest: older ones are left out. */
export function fundingHistoryOperation(
  access: RestAccess,
  symbol: string,
  sinceMs: number,
  at: Instant,
  next?: Operation,
): Operation {
  // A start needs an end; ours lies ahead so that a clock behind the venue's misses nothing.
  const endMs = Math.ceil(at.calendarMs + CLOCK_BEHIND_MAX_MS * access.calendarScale);
  return operation(access, {
    path: '/v5/market/funding/history',
    payload: queryOf([
      ['category', CATEGORY],
      ['symbol', symbol],
      ['startTime', Math.max(0, Math.floor(sinceMs))],
      ['endTime', endMs],
      ['limit', FUNDING_RATES_LIMIT],
    ]),
    priority: 5,
    read: ({ result }) => {
      const instrument = access.markets.find(symbol);
      if (instrument === undefined) return { events: [] };
      const { items } = pageOf(result, 'funding history', undefined);
      const settledAtMs = items.map((item) =>
        timeField(asFields(item, 'settled rate'), 'fundingRateTimestamp', symbol),
      );
      const intervals = settledIntervals(
        settledAtMs,
        access.markets.intervalOf(symbol) ?? instrument.fundingIntervalMs,
      );
      const events = items
        .map((item, index) => {
          const atMs = settledAtMs[index] ?? 0;
          access.markets.settledRead(symbol, atMs);
          return parseSettledRate(item, instrument, intervals.get(atMs));
        })
        .toReversed();
      return next === undefined ? { events } : { events, next };
    },
  });
}

/**
 * Tickers of the watched symbols that the stream has not spoken of for a while (at least the quietest one), and rates that have
 * settled meanwhile: no stream tells those.
 */
export function marketPollOperation(access: RestAccess, at: Instant): Operation {
  const { markets } = access;
  const quiet = markets.quietTickers(QUIET_TICKER_MS, at.monotonicMs);
  const symbols = quiet.length > 0 ? quiet : markets.quietTickers(0, at.monotonicMs);
  const asked = symbols.slice(0, Math.max(1, Math.min(quiet.length, POLL_QUESTIONS_MAX / 2)));
  const settled = [...markets.settledDue].slice(0, POLL_QUESTIONS_MAX / 2);
  let next: Operation | undefined;
  for (const [symbol, settledAtMs] of settled) next = fundingHistoryOperation(access, symbol, settledAtMs, at, next);
  for (const symbol of asked.toReversed()) next = tickerOperation(access, symbol, next);
  return next ?? serverTimeOperation(access);
}

function tickerOperation(access: RestAccess, symbol: string, next: Operation | undefined): Operation {
  const { markets } = access;
  return operation(access, {
    path: '/v5/market/tickers',
    payload: queryOf([
      ['category', CATEGORY],
      ['symbol', symbol],
    ]),
    priority: 5,
    read: ({ result, timeMs }, at) => {
      const [item] = pageOf(result, 'tickers', undefined).items;
      const instrument = markets.find(symbol);
      const isQuiet = markets.quietTickers(QUIET_TICKER_MS, at.monotonicMs).includes(symbol);
      // What the stream said while this was under way is newer.
      if (item === undefined || instrument === undefined || !isQuiet)
        return next === undefined ? NOTHING : { events: [], next };
      const ticker = tickerFields(asFields(item, 'ticker'));
      markets.replaceTicker(symbol, ticker, at.monotonicMs);
      const events = tickerEvents(instrument, ticker, timeMs);
      return next === undefined ? { events } : { events, next };
    },
  });
}

const NOTHING: OperationResult = { events: [] };

export function positionsOperation(access: RestAccess, at: Instant): Operation {
  return listing(access, {
    path: '/v5/position/list',
    query: [
      ['category', CATEGORY],
      ['settleCoin', access.markets.settleCoin],
      ['limit', 200],
    ],
    priority: 4,
    signedAt: at,
    read: (items) => {
      const { known, unknown } = eachKnown(items, 'positions', (item) => parsePosition(item, access.markets.find));
      return [{ type: 'positions-snapshot', positions: known }, ...unknown];
    },
  });
}

export function walletOperation(access: RestAccess, at: Instant): Operation {
  return operation(access, {
    path: '/v5/account/wallet-balance',
    payload: queryOf([['accountType', 'UNIFIED']]),
    priority: 4,
    signedAt: at,
    read: ({ result }) => {
      const [account] = asList(result['list'], 'wallet.list');
      return { events: [parseWallet(account, access.markets.settleCoin)] };
    },
  });
}

export function openOrdersOperation(access: RestAccess, at: Instant): Operation {
  return listing(access, {
    path: '/v5/order/realtime',
    query: [
      ['category', CATEGORY],
      ['settleCoin', access.markets.settleCoin],
      ['openOnly', 0],
      ['limit', 50],
    ],
    priority: 4,
    signedAt: at,
    read: (items) => {
      const { known, unknown } = eachKnown(items, 'orders', (item) => parseOrder(item, access.markets.find));
      return [{ type: 'open-orders', orders: known }, ...unknown];
    },
  });
}

/** Any key may ask what it may do. */
export function keyRightsOperation(access: RestAccess, at: Instant): Operation {
  return operation(access, {
    path: '/v5/user/query-api',
    payload: '',
    priority: 4,
    signedAt: at,
    read: ({ result }) => ({ events: [{ type: 'key-rights', rights: parseKeyRights(result) }] }),
  });
}

export function feesOperation(access: RestAccess, at: Instant): Operation {
  return listing(access, {
    path: '/v5/account/fee-rate',
    query: [['category', CATEGORY]],
    priority: 4,
    signedAt: at,
    read: (items) => items.flatMap((item) => parseFees(item, access.markets.find) ?? []),
  });
}

/** Open orders first; one that is not among them may have ended, and only then is it asked for there. */
export function findOrderOperation(access: RestAccess, symbol: string, clientOrderId: string, at: Instant): Operation {
  const lookUp = (path: string, whenMissing: () => OperationResult): Operation =>
    operation(access, {
      path,
      payload: queryOf([
        ['category', CATEGORY],
        ['symbol', symbol],
        ['orderLinkId', clientOrderId],
      ]),
      priority: 2,
      signedAt: at,
      read: ({ result }) => {
        const { items } = pageOf(result, path, undefined);
        const orders = items
          .filter((item) => optionalText(asFields(item, 'order'), 'orderLinkId') === clientOrderId)
          .map((item) => parseOrder(item, access.markets.find))
          .filter((order): order is OrderReport => order !== undefined);
        if (orders.length === 0) return whenMissing();
        const updates = orders.map((order): VenueEvent => ({ type: 'order-update', order }));
        return { events: [...updates, { type: 'order-lookup', clientOrderId, found: true }] };
      },
    });
  return lookUp('/v5/order/realtime', () => ({
    events: [],
    next: lookUp('/v5/order/history', () => ({
      events: [{ type: 'order-lookup', clientOrderId, found: false }],
    })),
  }));
}

/**
 * Fills and funding payments since then, in spans of a week, oldest span first; within a span pages go back in time, each oldest
 * first.
 */
export function executionsOperation(
  access: RestAccess,
  wanted: {
    readonly sinceMs: number;
    /** One kind only; absent: all. */
    readonly execType?: 'Funding';
    readonly priority: Operation['priority'];
  },
  at: Instant,
  cursor?: string,
): Operation {
  const { execType, priority } = wanted;
  const startMs = Math.floor(Math.max(wanted.sinceMs, at.calendarMs - EXECUTIONS_KEPT_MS));
  const endMs = startMs + EXECUTIONS_SPAN_MS;
  const isLast = endMs > at.calendarMs + CLOCK_BEHIND_MAX_MS * access.calendarScale;
  const query = queryOf([
    ['category', CATEGORY],
    ['execType', execType],
    ['startTime', startMs],
    ['endTime', isLast ? undefined : endMs],
    ['limit', 100],
  ]);
  return operation(access, {
    path: '/v5/execution/list',
    payload: withCursor(query, cursor),
    priority,
    signedAt: at,
    read: ({ result }) => {
      const page = pageOf(result, 'executions', cursor);
      const { known, unknown } = eachKnown(page.items.toReversed(), 'executions', (item) =>
        parseExecution(item, access.markets.find),
      );
      const events = [...known.flat(), ...unknown];
      if (page.cursor !== undefined && page.items.length > 0)
        return { events, next: executionsOperation(access, wanted, at, page.cursor) };
      return isLast ? { events } : { events, next: executionsOperation(access, { ...wanted, sinceMs: endMs }, at) };
    },
  });
}

/** OK means that the gateway took it: matching follows and may still reject. */
export function placeOrderOperation(
  access: RestAccess,
  body: string,
  times: RequestTimes,
  isReducing: boolean,
): Operation {
  return operation(access, {
    path: '/v5/order/create',
    method: 'POST',
    payload: body,
    priority: isReducing ? 0 : 3,
    times,
    read: ({ result }) => ({
      events: [{ type: 'submission-accepted', venueOrderId: textField(result, 'orderId', 'order reply') }],
    }),
  });
}

/** OK means "asked": the order's end arrives on the account stream. */
export function cancelOrderOperation(
  access: RestAccess,
  order: { readonly symbol: string; readonly clientOrderId: string },
  times: RequestTimes,
): Operation {
  const { symbol, clientOrderId } = order;
  return operation(access, {
    path: '/v5/order/cancel',
    method: 'POST',
    payload: JSON.stringify({ category: CATEGORY, symbol, orderLinkId: clientOrderId }),
    priority: 0,
    times,
    read: () => ({ events: [{ type: 'submission-accepted' }] }),
  });
}

/** At most 500 orders each time. */
export function cancelAllOperation(access: RestAccess, settleCoin: string, times: RequestTimes): Operation {
  return operation(access, {
    path: '/v5/order/cancel-all',
    method: 'POST',
    payload: JSON.stringify({ category: CATEGORY, settleCoin }),
    priority: 0,
    times,
    read: () => ({ events: [{ type: 'submission-accepted' }] }),
  });
}

/** The leverage wanted may be the leverage there is: the venue calls that an error. */
const LEVERAGE_UNCHANGED = 110043;

export function leverageOperation(
  access: RestAccess,
  symbol: string,
  leverage: number,
  times: RequestTimes,
): Operation {
  const text = String(leverage);
  return operation(access, {
    path: '/v5/position/set-leverage',
    method: 'POST',
    payload: JSON.stringify({ category: CATEGORY, symbol, buyLeverage: text, sellLeverage: text }),
    priority: 3,
    times,
    alsoFine: [LEVERAGE_UNCHANGED],
    read: () => ({ events: [{ type: 'submission-accepted' }] }),
  });
}

/** Named symbols are listed flat ones too, and tell their leverage. */
export function leverageOfOperation(access: RestAccess, symbol: string, at: Instant): Operation {
  return operation(access, {
    path: '/v5/position/list',
    payload: queryOf([
      ['category', CATEGORY],
      ['symbol', symbol],
    ]),
    priority: 3,
    signedAt: at,
    read: ({ result }) => ({
      events: pageOf(result, 'leverage', undefined).items.map((item) => {
        const position = parsePosition(item, access.markets.find);
        if (position?.leverage === undefined) throw malformed('position.leverage', 'a positive decimal', item);
        return { type: 'leverage', symbol: position.symbol, leverage: position.leverage };
      }),
    }),
  });
}
