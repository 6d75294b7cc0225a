/**
 * The venues that every venue test runs on, and what such a test must know of each. A new venue is added here, and everything that is
 * asked of a venue is asked of it. Tests only.
 */

import { demoAccount } from '../../src/simulation/demo-accounts.ts';
import type { DemoAccount } from '../../src/simulation/demo-accounts.ts';

interface VenueFacts {
  /** Where the name is of one kind of a venue's accounts: the venue, and the kind. */
  readonly of?: { readonly venue: string; readonly accountType: string };
  /** Its symbol of BTC. */
  readonly symbol: string;
  /** Such that a lot is worth about a quote unit, or as many as `lotWorth` says. */
  readonly price: number;
  /** Quote units a lot is worth; 1 when absent. Balances, bounds and depths are as many times larger. */
  readonly lotWorth?: number;
  readonly ticksPerQuote: number;
  /** Fault that makes a book miss a change; absent where every frame is a whole book. */
  readonly bookGap?: readonly [fault: string, options?: Readonly<Record<string, string>>];
  /** Options of `refuse-next`, in the venue's own words. */
  readonly refusals: {
    readonly margin: Readonly<Record<string, string | number>>;
    readonly duplicate: Readonly<Record<string, string | number>>;
    readonly postOnly: Readonly<Record<string, string | number>>;
    readonly unknownToUs: Readonly<Record<string, string | number>>;
  };
  /** What the venue says of a key it does not know, as a person is told. */
  readonly wrongKey: RegExp;
  /** Rights that must be refused, as `key-rights` or as options of the account, and what a person is told; absent where none are read. */
  readonly keyRights?: readonly (readonly [Readonly<Record<string, boolean | string>>, RegExp])[];
  /** It keeps no leverage of a market: what is asked for is our own bound. */
  readonly hasNoLeverage?: true;
  /** What its market of BTC allows at most; absent where that is more than any test asks for. */
  readonly maxLeverage?: number;
  /** Its API lists no funding payments: none is ever told. */
  readonly listsNoPayments?: true;
  /** Account facts of another instrument's ids may exceed what a double can count. */
  readonly hasLargeIds: boolean;
}

export const VENUE_FACTS = {
  extended: {
    symbol: 'BTC-USD',
    price: 100_000,
    ticksPerQuote: 1,
    bookGap: ['seq-gap', { kind: 'orderbooks' }],
    refusals: {
      margin: { code: 1140 },
      duplicate: { code: 1134 },
      postOnly: { code: 1141 },
      unknownToUs: { code: 99_999 },
    },
    wrongKey: /^extended does not accept the key of account main \(.*401.*\): check the key file/,
    hasLargeIds: true,
  },
  lighter: {
    symbol: 'BTC',
    price: 100_000,
    ticksPerQuote: 10,
    bookGap: ['skip-book-frame'],
    refusals: {
      margin: { code: 21739 },
      duplicate: { code: 21728 },
      postOnly: { code: 21733 },
      unknownToUs: { code: 28_888 },
    },
    wrongKey: /^lighter does not accept the (key|session token) of account main \(.*\): check/,
    hasLargeIds: true,
  },
  bybit: {
    symbol: 'BTCUSDT',
    price: 1_000,
    ticksPerQuote: 10,
    bookGap: ['book-gap'],
    refusals: {
      margin: { code: 110007 },
      duplicate: { code: 110072 },
      postOnly: { code: 110003 },
      unknownToUs: { code: 987_654 },
    },
    wrongKey: /^bybit does not accept the key of account main \(.*10003.*\): check the key file/,
    keyRights: [
      [
        { canWithdraw: true },
        /^the key of account main at bybit may move money out .*make one that can only read and trade/,
      ],
      [{ isReadOnly: true }, /^the key of account main may not do this at bybit .*let it read and trade/],
    ],
    hasLargeIds: false,
  },
  hyperliquid: {
    symbol: 'BTC',
    price: 100_000,
    ticksPerQuote: 10,
    refusals: {
      margin: { text: 'Insufficient margin to place order.' },
      duplicate: { text: 'Duplicate cloid.' },
      postOnly: { text: 'Post only order would have immediately matched, bbo was 1@2.' },
      unknownToUs: { text: 'Something nobody has documented.' },
    },
    wrongKey: /^hyperliquid does not accept the key of account main \(.*User or API Wallet.*\): check the key file/,
    // Without an address the account is the key's own, and its key can do everything.
    keyRights: [[{ address: '' }, /^the key of account main at hyperliquid may move money out/]],
    hasLargeIds: false,
  },
  coinbase: {
    symbol: 'BTC_USDC-PERPETUAL',
    price: 10_000,
    ticksPerQuote: 2,
    bookGap: ['book-gap'],
    refusals: {
      margin: { code: 10009 },
      // It takes a label twice without a word: what comes closest is an answer that settles nothing.
      duplicate: { code: 10040 },
      postOnly: { code: 11054 },
      unknownToUs: { code: 99_999 },
    },
    hasNoLeverage: true,
    wrongKey: /^coinbase does not accept the key of account main \(.*13004.*\): check the key file/,
    hasLargeIds: false,
  },
  'coinbase-us': {
    of: { venue: 'coinbase', accountType: 'us' },
    symbol: 'BIP-20DEC30-CDE',
    price: 10_000,
    lotWorth: 100,
    ticksPerQuote: 0.2,
    bookGap: ['book-gap'],
    refusals: {
      margin: { reason: 'INSUFFICIENT_FUND' },
      // An id names one order for ever, and repeating it is no error: what comes closest is an answer that settles nothing.
      duplicate: { reason: 'COMMANDER_REJECTED_NEW_ORDER' },
      postOnly: { reason: 'INVALID_LIMIT_PRICE_POST_ONLY' },
      unknownToUs: { reason: 'SOMETHING_NOBODY_HAS_DOCUMENTED' },
    },
    hasNoLeverage: true,
    maxLeverage: 3,
    listsNoPayments: true,
    wrongKey: /^coinbase does not accept the key of account main \(.*401.*\): check the key file/,
    keyRights: [
      [{ canTransfer: true }, /^the key of account main at coinbase may move money out/],
      [{ canTrade: false }, /^the key of account main may not do this at coinbase .*let it read and trade/],
    ],
    hasLargeIds: false,
  },
} as const satisfies Readonly<Record<string, VenueFacts>>;

export type TestedVenue = keyof typeof VENUE_FACTS;

export const VENUES = Object.keys(VENUE_FACTS) as readonly TestedVenue[];

/** The venue by its own name, and the kind of account where it is not the usual one. */
export function venueOf(tested: TestedVenue): { readonly venue: string; readonly accountType?: string } {
  return factsOf(tested).of ?? { venue: tested };
}

/** Keys and options of an account there. */
export function accountOf(tested: TestedVenue, name = 'main'): DemoAccount {
  const { venue, accountType } = venueOf(tested);
  return demoAccount(venue, name, accountType);
}

export function factsOf(venue: TestedVenue): VenueFacts {
  return VENUE_FACTS[venue];
}
