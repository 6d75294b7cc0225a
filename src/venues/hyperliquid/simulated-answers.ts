/** The simulated Hyperliquid's answers to questions. Pure reads of its records; any thread. */
import type { Instrument } from '../../market/instrument.ts';
import { formatDecimal } from '../../money/decimal.ts';
import type { Fields } from '../json.ts';
import { ADDRESS_ACTIONS_FREE, FILLS_PAGE, RATES_PAGE } from './limits.ts';
import { SimulatedLimits } from './simulated-limits.ts';
import type { SimulatedRecords } from './simulated-records.ts';
import {
  accountJson,
  contextJson,
  fillJson,
  hashJson,
  levelsJson,
  marketJson,
  paymentJson,
  priceJson,
  settledRateJson,
  sizeJson,
} from './simulated-wire.ts';
import type { Json, SimulatedAccount } from './simulated-wire.ts';

const SPOT_META: Json = {
  universe: [],
  tokens: [
    {
      name: 'USDC',
      szDecimals: 8,
      weiDecimals: 8,
      index: 0,
      tokenId: '0x6d1e7cde53ba9467b783cb7c530ce054',
      isCanonical: true,
      evmContract: null,
      fullName: null,
    },
  ],
};
/** How long an API wallet of the simulation lasts. */
const AGENT_LIFE_MS = 90 * 86_400_000;
const BOOK_LEVELS = 20;
const HISTORY_MAX = 2_000;

export interface Answering {
  readonly records: SimulatedRecords;
  readonly limits: SimulatedLimits;
  readonly nowMs: number;
}

/** Returns the answer, and how many items its weight is counted by; undefined when there is no such question. */
export function answerInfo(
  { records, limits, nowMs }: Answering,
  question: Fields,
): { readonly data: Json; readonly items: number } | undefined {
  const { exchange } = records;
  const plain = (data: Json): { readonly data: Json; readonly items: number } => ({ data, items: 0 });
  const listed = (data: readonly Json[]): { readonly data: Json; readonly items: number } => ({
    data,
    items: data.length,
  });
  const meta = (): Json => ({
    universe: records.markets.map(marketJson),
    marginTables: [],
    collateralToken: 0,
  });
  switch (question['type']) {
    case 'meta':
      return plain(meta());
    // Only the first perpetuals exchange is simulated, and of the spot market nothing but the coin that collateral is in.
    case 'perpDexs':
      return plain([null]);
    case 'spotMeta':
      return plain(SPOT_META);
    case 'spotMetaAndAssetCtxs':
      return plain([SPOT_META, []]);
    case 'metaAndAssetCtxs':
      return plain([
        meta(),
        records.markets.map((market) =>
          contextJson(market, exchange.stats(market.symbol), exchange.book(market.symbol)),
        ),
      ]);
    case 'allMids':
      return plain(allMids(records));
    case 'l2Book':
      return plain(bookJson(records, question['coin'], BOOK_LEVELS, nowMs));
    case 'fundingHistory':
      return records.instrument(question['coin']) === undefined
        ? undefined
        : listed(
            page(
              exchange.fundingHistory(String(question['coin'])),
              question,
              ({ settledAtMs }) => settledAtMs,
              RATES_PAGE,
            ).map(settledRateJson),
          );
    default:
      return answerUser(records, limits, question, nowMs, plain, listed);
  }
}

/** Everybody may ask about everybody; an address without an account, an agent's for example, has nothing. */
function answerUser<Answer>(
  records: SimulatedRecords,
  limits: SimulatedLimits,
  question: Fields,
  nowMs: number,
  plain: (data: Json) => Answer,
  listed: (data: readonly Json[]) => Answer,
): Answer | undefined {
  const user = question['user'];
  if (typeof user !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(user)) return undefined;
  const account = records.accountByAddress(user.toLowerCase());
  switch (question['type']) {
    case 'clearinghouseState':
      return plain(account === undefined ? nothingHeld(nowMs) : accountOf(records, account, nowMs));
    case 'spotClearinghouseState':
      return plain({ balances: [] });
    case 'openOrders':
      return listed(account === undefined ? [] : records.openOrders(account).map((order) => records.orderJson(order)));
    case 'frontendOpenOrders':
      return listed(
        account === undefined ? [] : records.openOrders(account).map((order) => records.fullOrderJson(order)),
      );
    case 'orderStatus': {
      const order = account === undefined ? undefined : records.findShown(account, question['oid']);
      return plain(
        order === undefined ? { status: 'unknownOid' } : { status: 'order', order: statusJson(records, order) },
      );
    }
    case 'historicalOrders':
      return listed(
        account === undefined
          ? []
          : records
              .endedOrders(account)
              .slice(-HISTORY_MAX)
              .toReversed()
              .map((order) => statusJson(records, order)),
      );
    case 'userFills':
      return listed(account === undefined ? [] : fillsOf(records, account).slice(-FILLS_PAGE).toReversed());
    case 'userFillsByTime':
      return listed(
        account === undefined
          ? []
          : page(fillsOf(records, account), question, (fill) => Number(fillTime(fill)), FILLS_PAGE),
      );
    case 'userFunding':
      return listed(account === undefined ? [] : paymentsOf(records, account, question));
    case 'userFees':
      return plain(feesJson(records));
    case 'extraAgents':
      return plain(
        (account?.signers ?? [])
          .filter((signer) => signer !== account?.address)
          .map((address) => ({ name: 'engine', address, validUntil: Math.floor(nowMs + AGENT_LIFE_MS) })),
      );
    case 'userRateLimit':
      return plain(rateLimitJson(records, limits, account));
    case 'activeAssetData': {
      const instrument = records.instrument(question['coin']);
      if (instrument === undefined || account === undefined) return undefined;
      return plain(assetDataJson(records, account, instrument));
    }
    case 'userRole':
      return plain(roleJson(records, question['user']));
    default:
      return undefined;
  }
}

/** A wallet that signs for an account is its agent; the account's own is the user. */
function roleJson(records: SimulatedRecords, user: unknown): Json {
  if (records.accounts.some(({ address }) => address === user)) return { role: 'user' };
  const master = records.isRevoked
    ? undefined
    : records.accounts.find(({ signers }) => signers.some((signer) => signer === user));
  return master === undefined ? { role: 'missing' } : { role: 'agent', data: { user: master.address } };
}

export function accountOf(records: SimulatedRecords, account: SimulatedAccount, nowMs: number): Json {
  return accountJson(records.exchange, account.name, (symbol) => records.known(symbol), nowMs);
}

function nothingHeld(nowMs: number): Json {
  const summary = { accountValue: '0.0', totalNtlPos: '0.0', totalRawUsd: '0.0', totalMarginUsed: '0.0' };
  return {
    marginSummary: summary,
    crossMarginSummary: summary,
    crossMaintenanceMarginUsed: '0.0',
    withdrawable: '0.0',
    assetPositions: [],
    time: Math.floor(nowMs),
  };
}

function statusJson(records: SimulatedRecords, order: Parameters<SimulatedRecords['statusText']>[0]): Json {
  return {
    order: records.fullOrderJson(order),
    status: records.statusText(order),
    statusTimestamp: Math.floor(order.updatedAtMs),
  };
}

/** Null for a coin the venue does not have. */
export function bookJson(records: SimulatedRecords, coin: unknown, depth: number, nowMs: number): Json {
  const instrument = records.instrument(coin);
  if (instrument === undefined) return null;
  const levels = levelsJson(records.exchange.book(instrument.symbol), instrument, depth);
  return { coin: instrument.symbol, time: Math.floor(nowMs), levels };
}

function allMids(records: SimulatedRecords): Json {
  const mids: Record<string, Json> = {};
  for (const instrument of records.markets) {
    const { bids, asks } = records.exchange.book(instrument.symbol);
    const [bid, ask] = [bids[0]?.[0], asks[0]?.[0]];
    if (bid !== undefined && ask !== undefined)
      mids[instrument.symbol] = formatDecimal(BigInt(bid + ask) * 5n, instrument.priceDecimals + 1);
  }
  return mids;
}

/** All fills of an account, oldest first. */
export function fillsOf(records: SimulatedRecords, account: SimulatedAccount): readonly Json[] {
  return records.exchange
    .trades(account.name)
    .flatMap((trade) =>
      [trade.taker, trade.maker].flatMap((party) =>
        party?.account === account.name ? [fillOf(records, account, trade, party)] : [],
      ),
    );
}

export function fillOf(
  records: SimulatedRecords,
  account: SimulatedAccount,
  trade: Parameters<typeof fillJson>[0]['trade'],
  party: Parameters<typeof fillJson>[0]['party'],
): Json {
  return fillJson({
    trade,
    party,
    instrument: records.known(trade.symbol),
    ids: records.ids,
    cloid: records.cloid(party.venueOrderNumber),
    address: account.address,
    markNano: records.exchange.stats(trade.symbol).markNano,
  });
}

function fillTime(fill: Json): Json | undefined {
  return typeof fill === 'object' && fill !== null && 'time' in fill ? fill.time : undefined;
}

function paymentsOf(records: SimulatedRecords, account: SimulatedAccount, question: Fields): readonly Json[] {
  const payments = page(
    records.exchange.fundingPayments(account.name),
    question,
    ({ settledAtMs }) => settledAtMs,
    RATES_PAGE,
  );
  return payments.map((payment) => ({
    time: Math.floor(payment.settledAtMs),
    hash: hashJson(0),
    delta: { type: 'funding', ...paymentJson(payment, records.known(payment.symbol)) },
  }));
}

/** The oldest within the asked times, so many at most. */
function page<Item>(
  items: readonly Item[],
  question: Fields,
  timeOf: (item: Item) => number,
  max: number,
): readonly Item[] {
  const startTime = Number(question['startTime'] ?? 0);
  const endTime = Number(question['endTime'] ?? Number.MAX_SAFE_INTEGER);
  return items.filter((item) => timeOf(item) >= startTime && timeOf(item) <= endTime).slice(0, max);
}

function feesJson(records: SimulatedRecords): Json {
  const [market] = records.markets;
  const rate = (pico: number): string => formatDecimal(BigInt(pico), 12).replace(/0+$/, '');
  return {
    dailyUserVlm: [],
    userCrossRate: rate(market?.takerFee ?? 0),
    userAddRate: rate(market?.makerFee ?? 0),
    activeReferralDiscount: '0.0',
  };
}

/** Lifetime volume in quote. */
export function volumeOf(records: SimulatedRecords, account: SimulatedAccount): number {
  let volume = 0;
  for (const { symbol, priceTicks, lots } of records.exchange.trades(account.name)) {
    const instrument = records.known(symbol);
    volume += Number(priceJson(priceTicks, instrument)) * Number(sizeJson(lots, instrument));
  }
  return volume;
}

/** What the account may do with one coin: its leverage, and how much it could trade. */
export function assetDataJson(records: SimulatedRecords, account: SimulatedAccount, instrument: Instrument): Json {
  const leverage = records.leverageOf(account, instrument);
  const { availableMicro } = records.exchange.wallet(account.name);
  const markNano = records.exchange.stats(instrument.symbol).markNano;
  const available = (Number(availableMicro) / 1e6).toFixed(6);
  const size = ((Number(availableMicro) / 1e6) * leverage) / (Number(markNano) / 1e9);
  const largest = size.toFixed(instrument.quantityDecimals);
  return {
    user: account.address,
    coin: instrument.symbol,
    leverage: { type: 'cross', value: leverage },
    maxTradeSzs: [largest, largest],
    availableToTrade: [available, available],
    markPx: formatDecimal(markNano, 9),
  };
}

function rateLimitJson(
  records: SimulatedRecords,
  limits: SimulatedLimits,
  account: SimulatedAccount | undefined,
): Json {
  const volume = account === undefined ? 0 : volumeOf(records, account);
  return {
    cumVlm: volume.toFixed(2),
    nRequestsUsed: account === undefined ? 0 : limits.actionsUsed(account.address),
    nRequestsCap: account === undefined ? ADDRESS_ACTIONS_FREE : SimulatedLimits.actionsMax(volume),
    nRequestsSurplus: 0,
  };
}
