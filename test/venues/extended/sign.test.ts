import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import {
  domainHash,
  messageHash,
  nonceOf,
  orderHash,
  runExtendedSignTask,
  settlementOrder,
  signHash,
  signingKey,
  starkPublicKeyOf,
  verifySignature,
} from '../../../src/venues/extended/sign.ts';
import type { SettlementOrder, SettlementTerms } from '../../../src/venues/extended/sign.ts';

interface WireOrderIntegers {
  readonly [field: string]: string;
}
interface Vectors {
  readonly domain: { readonly hash: Record<string, string> };
  readonly hashCases: readonly {
    readonly what: string;
    readonly order: WireOrderIntegers;
    readonly chainId: string;
    readonly publicKey: string;
    readonly messageHash: string;
    readonly orderHash?: string;
  }[];
  readonly orders: readonly {
    readonly name: string;
    readonly privateKey: string;
    readonly publicKey: string;
    readonly id: string;
    readonly market: {
      readonly syntheticId: string;
      readonly syntheticResolution: number;
      readonly collateralId: string;
      readonly collateralResolution: number;
    };
    readonly input: {
      readonly side: string;
      readonly qty: string;
      readonly price: string;
      readonly feeRate: string;
      readonly expiryEpochMillis: number;
      readonly nonce: number;
      readonly vault: number;
      readonly chainId: string;
    };
    readonly order: WireOrderIntegers;
    readonly r: string;
    readonly s: string;
    readonly messageHash: string;
  }[];
  readonly scaledOrders: {
    readonly privateKey: string;
    readonly chainId: string;
    readonly cases: readonly {
      readonly name: string;
      readonly order: WireOrderIntegers;
      readonly r: string;
      readonly s: string;
      readonly messageHash: string;
    }[];
  };
}

const vectorsUrl = new URL('../../../../shared/venues/vectors/extended.json', import.meta.url);
const vectors: Vectors | undefined = existsSync(vectorsUrl)
  ? (JSON.parse(readFileSync(vectorsUrl, 'utf8')) as Vectors)
  : undefined;

function integers(order: WireOrderIntegers): SettlementOrder {
  const of = (field: string): bigint => BigInt(order[field] ?? 'missing');
  return {
    positionId: of('positionId'),
    baseAssetId: of('baseAssetId'),
    baseAmount: of('baseAmount'),
    quoteAssetId: of('quoteAssetId'),
    quoteAmount: of('quoteAmount'),
    feeAssetId: of('feeAssetId'),
    feeAmount: of('feeAmount'),
    expiration: of('expiration'),
    salt: of('salt'),
  };
}

function termsOf(vector: Vectors['orders'][number]): SettlementTerms {
  const { input, market } = vector;
  return {
    side: input.side === 'BUY' ? 'buy' : 'sell',
    quantity: input.qty,
    price: input.price,
    feeRate: input.feeRate,
    expiryEpochMillis: input.expiryEpochMillis,
    nonce: input.nonce,
    vault: input.vault,
    market: {
      ...market,
      syntheticResolution: String(market.syntheticResolution),
      collateralResolution: String(market.collateralResolution),
    },
  };
}

describe.skipIf(vectors === undefined)('against the shared vectors (skipped when ../shared is absent)', () => {
  test.each(Object.entries(vectors?.domain.hash ?? {}))('hashes the domain of %s', (chainId, hash) => {
    expect(domainHash(chainId)).toBe(BigInt(hash));
  });

  test.each(vectors?.hashCases ?? [])('hashes $what', (vector) => {
    const order = integers(vector.order);
    if (vector.orderHash !== undefined) expect(orderHash(order)).toBe(BigInt(vector.orderHash));
    expect(messageHash(vector.chainId, vector.publicKey, order)).toBe(BigInt(vector.messageHash));
  });

  test.each(vectors?.orders ?? [])('scales, hashes and signs: $name', (vector) => {
    const terms = termsOf(vector);
    expect(starkPublicKeyOf(vector.privateKey)).toBe(vector.publicKey);
    expect(settlementOrder(terms)).toEqual(integers(vector.order));
    const key = signingKey(vector.privateKey, vector.input.vault, vector.input.chainId);
    const signature = runExtendedSignTask({ key, terms }, new Uint8Array());
    expect(signature).toEqual({ r: vector.r, s: vector.s, messageHash: vector.messageHash });
    expect(verifySignature(BigInt(vector.messageHash), vector.r, vector.s, vector.publicKey)).toBe(true);
    expect(BigInt(vector.messageHash)).toBe(BigInt(vector.id));
  });

  test.each(vectors?.scaledOrders.cases ?? [])('signs scaled amounts: $name', (vector) => {
    const { privateKey, chainId } = vectors?.scaledOrders ?? { privateKey: '', chainId: '' };
    const hash = messageHash(chainId, starkPublicKeyOf(privateKey), integers(vector.order));
    expect(hash).toBe(BigInt(vector.messageHash));
    expect(signHash(hash, privateKey)).toEqual({ r: vector.r, s: vector.s });
  });
});

const terms: SettlementTerms = {
  side: 'buy',
  quantity: '0.001',
  price: '43445.1168',
  feeRate: '0.0005',
  expiryEpochMillis: 1_704_420_537_000,
  nonce: 7,
  vault: 10_002,
  market: {
    syntheticId: '0x4254432d3600000000000000000000',
    syntheticResolution: '1000000',
    collateralId: '0x1',
    collateralResolution: '1000000',
  },
};
const privateKey = '0x7a7ff6fd3cab02ccdcd4a572563f5976f8976899b03a39773795a3c486d4986';

it('rounds what a buyer pays up, what a seller gets down and fees up', () => {
  expect(settlementOrder(terms)).toMatchObject({ baseAmount: 1000n, quoteAmount: -43_445_117n, feeAmount: 21_723n });
  expect(settlementOrder({ ...terms, side: 'sell' })).toMatchObject({
    baseAmount: -1000n,
    quoteAmount: 43_445_116n,
    feeAmount: 21_723n,
  });
});

it('rounds the expiry up to whole seconds before adding fourteen days', () => {
  expect(settlementOrder({ ...terms, expiryEpochMillis: 1_704_420_537_001 }).expiration).toBe(1_705_630_138n);
});

it('signs the same order the same way whatever the entropy', () => {
  const key = signingKey(privateKey, terms.vault, 'SN_MAIN');
  const first = runExtendedSignTask({ key, terms }, new Uint8Array(64).fill(1));
  expect(runExtendedSignTask({ key, terms }, new Uint8Array(64).fill(2))).toEqual(first);
});

it('refuses a signature over anything else, nonsense included', () => {
  const key = signingKey(privateKey, terms.vault, 'SN_MAIN');
  const { r, s } = runExtendedSignTask({ key, terms }, new Uint8Array());
  const other = messageHash('SN_MAIN', key.publicKey, settlementOrder({ ...terms, price: '43446.1168' }));
  expect(verifySignature(other, r, s, key.publicKey)).toBe(false);
  expect(verifySignature(other, '0x0', s, key.publicKey)).toBe(false);
  expect(verifySignature(other, 'nonsense', s, key.publicKey)).toBe(false);
  expect(verifySignature(other, `0x${'f'.repeat(64)}`, s, key.publicKey)).toBe(false);
});

it('derives nonces within 1..2^31 that differ for neighbouring ids', () => {
  const ids = [1n, 2n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 31n + 1n, 2n ** 48n - 2n, 2n ** 48n - 1n];
  const nonces = ids.map((id) => nonceOf(id.toString()));
  expect(new Set(nonces).size).toBe(ids.length);
  for (const nonce of nonces) {
    expect(nonce).toBeGreaterThanOrEqual(1);
    expect(nonce).toBeLessThanOrEqual(2 ** 31);
  }
  expect(() => nonceOf('not-a-number')).toThrow(/client order id/);
});
