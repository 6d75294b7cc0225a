import { existsSync, readFileSync } from 'node:fs';
import { keccak_256 } from '@noble/hashes/sha3.js';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { Unpackr } from 'msgpackr';
import { formatDecimal } from '../../../src/money/decimal.ts';
import { allowedTicksDown } from '../../../src/money/significant-digits.ts';
import { plainDecimal } from '../../../src/venues/fields.ts';
import { packAction } from '../../../src/venues/hyperliquid/msgpack.ts';
import type { ActionValue } from '../../../src/venues/hyperliquid/msgpack.ts';
import {
  actionHash,
  addressOf,
  agentDigest,
  hexText,
  recoverAddress,
  runHyperliquidSignTask,
  signDigest,
} from '../../../src/venues/hyperliquid/sign.ts';
import type { Network, SignedTerms, WireSignature } from '../../../src/venues/hyperliquid/sign.ts';
import { shortDecimal } from '../../../src/venues/hyperliquid/wire.ts';

interface Vector {
  readonly name: string;
  readonly action: ActionValue;
  readonly nonce: number;
  readonly vaultAddress: string | null;
  readonly expiresAfter: number | null;
  readonly msgpackHex: string;
  readonly connectionId: string;
  readonly privateKey?: string;
  readonly signer?: string;
  readonly signatures?: Readonly<Record<Network, WireSignature & { readonly digest: string }>>;
}

const file = new URL('../../../../shared/venues/vectors/hyperliquid.json', import.meta.url);
const hasVectors = existsSync(file);
interface Shared {
  readonly l1Actions: readonly Vector[];
  readonly userSigned: readonly UserSigned[];
  readonly wireNumbers: { readonly floatToWire: readonly { readonly input: number; readonly output: string }[] };
  readonly priceRounding: {
    readonly rows: readonly {
      readonly market: string;
      readonly szDecimals: number;
      readonly input: string;
      readonly output: string;
    }[];
  };
}
const shared: Shared = hasVectors
  ? (JSON.parse(readFileSync(file, 'utf8')) as Shared)
  : { l1Actions: [], userSigned: [], wireNumbers: { floatToWire: [] }, priceRounding: { rows: [] } };
const vectors = shared.l1Actions;

function termsOf(vector: Vector): SignedTerms {
  return {
    action: vector.action,
    nonce: vector.nonce,
    ...(vector.vaultAddress === null ? {} : { vaultAddress: vector.vaultAddress }),
    ...(vector.expiresAfter === null ? {} : { expiresAfter: vector.expiresAfter }),
  };
}

describe.skipIf(!hasVectors)('published vectors (needs ../shared/venues/vectors)', () => {
  it('has them all', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(22);
  });

  test.each(vectors)('$name: packed, hashed, signed and recovered byte for byte', (vector) => {
    const hash = actionHash(termsOf(vector));
    expect(hexText(packAction(vector.action)).slice(2)).toBe(vector.msgpackHex);
    expect(hexText(hash)).toBe(vector.connectionId);
    if (vector.privateKey === undefined || vector.signatures === undefined) return;
    expect(addressOf(vector.privateKey)).toBe(vector.signer);
    for (const network of ['mainnet', 'testnet'] as const) {
      const { digest, r, s, v } = vector.signatures[network];
      expect(hexText(agentDigest(hash, network))).toBe(digest);
      expect(runHyperliquidSignTask({ ...termsOf(vector), privateKey: vector.privateKey, network })).toEqual({
        r,
        s,
        v,
      });
      expect(recoverAddress(agentDigest(hash, network), { r, s, v })).toBe(vector.signer);
    }
  });
});

interface UserSigned {
  readonly name: string;
  readonly primaryType: string;
  readonly types: readonly { readonly name: string; readonly type: string }[];
  readonly domain: {
    readonly name: string;
    readonly version: string;
    readonly chainId: number;
    readonly verifyingContract: string;
  };
  readonly action: Readonly<Record<string, unknown>>;
  readonly privateKey: string;
  readonly signer: string;
  readonly digest: string;
  readonly signature: WireSignature;
}

/** One struct of typed data, hashed: names of fields, then each value in 32 bytes. */
function structHash(name: string, fields: UserSigned['types'], values: Readonly<Record<string, unknown>>): Uint8Array {
  const text = (value: string): Uint8Array => keccak_256(new TextEncoder().encode(value));
  const word = (value: bigint): Uint8Array => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
  const encoded = fields.map((field) => {
    const value = values[field.name];
    if (field.type === 'string') return text(String(value));
    return word(field.type === 'bool' ? BigInt(value === true) : BigInt(value as string | number));
  });
  const type = `${name}(${fields.map((field) => `${field.type} ${field.name}`).join(',')})`;
  return keccak_256(Buffer.concat([text(type), ...encoded]));
}

// The engine moves no money and makes no keys: what such an action says is put together here, and signed as its orders are.
describe.skipIf(!hasVectors)('actions that a person signs (need ../shared/venues/vectors)', () => {
  test.each(shared.userSigned)('$name: signed and recovered byte for byte', (vector) => {
    const { primaryType, types, domain, action, digest, privateKey, signature, signer } = vector;
    const domainFields = [
      { name: 'name', type: 'string' },
      { name: 'version', type: 'string' },
      { name: 'chainId', type: 'uint256' },
      { name: 'verifyingContract', type: 'address' },
    ];
    const parts = [structHash('EIP712Domain', domainFields, domain), structHash(primaryType, types, action)];
    const hash = keccak_256(Buffer.concat([Uint8Array.of(0x19, 0x01), ...parts]));
    expect(hexText(hash)).toBe(digest);
    expect(signDigest(hash, privateKey)).toEqual(signature);
    expect(recoverAddress(hash, signature)).toBe(signer);
  });
});

describe.skipIf(!hasVectors)('numbers as the venue hashes them (need ../shared/venues/vectors)', () => {
  test.each(shared.wireNumbers.floatToWire)('$input is $output', ({ input, output }) => {
    expect(shortDecimal(plainDecimal(input))).toBe(output);
  });

  test.each(shared.priceRounding.rows.filter(({ market }) => market === 'perp'))(
    'a price of $input at $szDecimals decimals of size is at most $output',
    ({ szDecimals, input, output }) => {
      const priceDecimals = 6 - szDecimals;
      const steps = { priceDecimals, tickUnits: 1, priceDigitsMax: 5 };
      const ticks = Math.floor(Number(input) * 10 ** priceDecimals);
      const allowed = allowedTicksDown(ticks, steps);
      expect(shortDecimal(formatDecimal(BigInt(allowed), priceDecimals))).toBe(output);
    },
  );
});

// A key of the vectors above, public for years.
const KEY = '0x0123456789012345678901234567890123456789012345678901234567890123';
const ORDER: SignedTerms = {
  action: { type: 'order', orders: [{ a: 1, b: true, p: '100', s: '100', r: false, t: { limit: { tif: 'Gtc' } } }] },
  nonce: 1,
};
const digestOf = (terms: SignedTerms): Uint8Array => agentDigest(actionHash(terms), 'mainnet');

describe('what a signature covers', () => {
  test.each<[string, SignedTerms]>([
    ['the action', { ...ORDER, action: { type: 'noop' } }],
    ['the nonce', { ...ORDER, nonce: 2 }],
    ['the vault', { ...ORDER, vaultAddress: `0x${'11'.repeat(20)}` }],
    ['the expiry', { ...ORDER, expiresAfter: 1 }],
  ])('%s: recovered from anything else it gives another address', (_what, changed) => {
    const signature = signDigest(digestOf(ORDER), KEY);
    expect(recoverAddress(digestOf(ORDER), signature)).toBe(addressOf(KEY));
    expect(recoverAddress(digestOf(changed), signature)).not.toBe(addressOf(KEY));
  });

  it('is void when it is no signature', () => {
    const signature = signDigest(digestOf(ORDER), KEY);
    for (const damaged of [
      { ...signature, v: 29 },
      { ...signature, r: '0x0' },
      { ...signature, s: 'nothing' },
      { ...signature, r: `0x${'f'.repeat(64)}` },
    ])
      expect(recoverAddress(digestOf(ORDER), damaged)).toBeUndefined();
  });

  it('refuses keys and addresses that are none, without showing the key', () => {
    expect(() => addressOf('0x12')).toThrow(/private key must be 64 hex digits, was .?4 characters/);
    expect(() => addressOf('0'.repeat(64))).toThrow(/private key must be a number below/);
    expect(() => actionHash({ ...ORDER, vaultAddress: '0x12' })).toThrow(/vault address must be 0x and 40 hex digits/);
  });
});

describe('canonical msgpack', () => {
  const value = fc.letrec<{ value: ActionValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string({ maxLength: 300 }),
      fc.maxSafeInteger(),
      fc.integer({ min: -200, max: 70_000 }),
      fc.boolean(),
      fc.array(tie('value'), { maxLength: 20 }),
      fc.dictionary(
        fc.string({ minLength: 1, maxLength: 5 }).filter((name) => name !== '__proto__'),
        tie('value'),
        { maxKeys: 20, noNullPrototype: true },
      ),
    ),
  })).value;

  it('is read back by a general unpacker as the same value', () => {
    const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' });
    fc.assert(
      fc.property(value, (packed) => {
        expect(unpackr.unpack(packAction(packed))).toEqual(packed);
      }),
      { numRuns: 300 },
    );
  });

  it('leaves undefined fields out and refuses fractions', () => {
    expect(packAction({ a: undefined, b: 1 })).toEqual(packAction({ b: 1 }));
    expect(() => packAction({ b: 0.5 })).toThrow('number of an action must be a safe integer, was 0.5');
  });
});
