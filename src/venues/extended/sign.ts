/** Settlement signatures of Extended orders: exact integer amounts, Poseidon message hash, Stark ECDSA. Pure; CPU pool threads and tests. */
import { Fp251, getStarkKey, keccak, poseidonSmall, sign, Signature, verify } from '@scure/starknet';
import { parseDecimal } from '../../money/decimal.ts';
import { RangeViolation } from '../../money/range-violation.ts';
import { divideDown, divideUp } from '../../money/rounding.ts';

/** Name of the CPU task that runs `runExtendedSignTask`. */
export const EXTENDED_SIGN_TASK = 'extended-sign';

/** A market's ids and integer resolutions on the settlement layer, as the venue states them. */
export interface SettlementMarket {
  readonly syntheticId: string;
  /** Integer units of the synthetic asset per base unit, decimal text. */
  readonly syntheticResolution: string;
  readonly collateralId: string;
  /** Integer units of collateral per quote unit, decimal text. */
  readonly collateralResolution: string;
}

/** What both sides of the wire know about one order and its signature covers. */
export interface SettlementTerms {
  readonly side: 'buy' | 'sell';
  /** Decimal texts; quantity in base units, price in quote, fee a fraction. */
  readonly quantity: string;
  readonly price: string;
  readonly feeRate: string;
  readonly expiryEpochMillis: number;
  /** 1..2^31: the salt. */
  readonly nonce: number;
  readonly vault: number;
  readonly market: SettlementMarket;
}

/** The signed integers. Base and quote are signed: what the account receives is positive. */
export interface SettlementOrder {
  readonly positionId: bigint;
  readonly baseAssetId: bigint;
  readonly baseAmount: bigint;
  readonly quoteAssetId: bigint;
  readonly quoteAmount: bigint;
  readonly feeAssetId: bigint;
  readonly feeAmount: bigint;
  /** Epoch seconds. */
  readonly expiration: bigint;
  readonly salt: bigint;
}

/** Three field elements as hex: a Poseidon sponge that has absorbed a constant prefix. */
type SpongeText = readonly [string, string, string];
type Sponge = readonly [bigint, bigint, bigint];

/**
 * One account's signing constants, computed once per run. The domain never changes and the vault never changes, so the sponge
 * states behind (prefix, domain) and (order selector, vault) are kept: 7 permutations per order instead of 9, and no key derivation.
 */
export interface SigningKey {
  readonly privateKey: string;
  readonly publicKey: string;
  readonly vault: number;
  readonly messageState: SpongeText;
  readonly orderState: SpongeText;
}

/** Input of the CPU task: plain data. */
export interface ExtendedSignInput {
  readonly key: SigningKey;
  readonly terms: SettlementTerms;
}
export interface ExtendedSignature {
  readonly r: string;
  readonly s: string;
  readonly messageHash: string;
}

const P = Fp251.ORDER;
const DECIMALS = 18;
const ONE = 10n ** BigInt(DECIMALS);
const SETTLEMENT_EXTRA_SECONDS = 14n * 86_400n;
const NONCE_MAX = 2 ** 31;

const DOMAIN_TYPE =
  '"StarknetDomain"("name":"shortstring","version":"shortstring","chainId":"shortstring","revision":"shortstring")';
const ORDER_TYPE =
  '"Order"("position_id":"felt","base_asset_id":"AssetId","base_amount":"i64","quote_asset_id":"AssetId","quote_amount":"i64",' +
  '"fee_asset_id":"AssetId","fee_amount":"u64","expiration":"Timestamp","salt":"felt")"PositionId"("value":"u32")' +
  '"AssetId"("value":"felt")"Timestamp"("seconds":"u64")';
const EMPTY: Sponge = [0n, 0n, 0n];

/** Returns the signed integers of an order: base and quote rounded against the account (buy up, sell down), the fee always up. */
export function settlementOrder(terms: SettlementTerms): SettlementOrder {
  const { market } = terms;
  const quantity = decimal('quantity', terms.quantity);
  const value = quantity * decimal('price', terms.price); // 10^-36
  const feeValue = value * decimal('fee rate', terms.feeRate); // 10^-54
  const collateral = BigInt(market.collateralResolution);
  const round = terms.side === 'buy' ? divideUp : divideDown;
  const base = round(quantity * BigInt(market.syntheticResolution), ONE);
  const quote = round(value * collateral, ONE * ONE);
  if (!Number.isSafeInteger(terms.nonce) || terms.nonce < 1 || terms.nonce > NONCE_MAX) {
    throw new RangeViolation('nonce', 'an integer from 1 to 2^31', terms.nonce);
  }
  return {
    positionId: BigInt(terms.vault),
    baseAssetId: BigInt(market.syntheticId),
    baseAmount: terms.side === 'buy' ? base : -base,
    quoteAssetId: BigInt(market.collateralId),
    quoteAmount: terms.side === 'buy' ? -quote : quote,
    feeAssetId: BigInt(market.collateralId),
    feeAmount: divideUp(feeValue * collateral, ONE * ONE * ONE),
    expiration: divideUp(BigInt(terms.expiryEpochMillis), 1000n) + SETTLEMENT_EXTRA_SECONDS,
    salt: BigInt(terms.nonce),
  };
}

/** Returns the hash of a signing domain; `chainId` is the text `SN_MAIN` or `SN_SEPOLIA`. */
export function domainHash(chainId: string): bigint {
  return finish(EMPTY, [typeHash(DOMAIN_TYPE), asciiFelt('Perpetuals'), asciiFelt('v0'), asciiFelt(chainId), 1n]);
}

/** Returns the struct hash of an order. */
export function orderHash(order: SettlementOrder): bigint {
  return finish(orderPrefix(order.positionId), orderTail(order));
}

/** Returns what is signed: the order bound to a domain and a public key. */
export function messageHash(chainId: string, publicKey: string, order: SettlementOrder): bigint {
  return finish(messagePrefix(chainId), [BigInt(publicKey), orderHash(order)]);
}

/** Returns the Stark public key (x coordinate, 0x hex) of a private key in hex. */
export function starkPublicKeyOf(privateKey: string): string {
  return getStarkKey(bareHex(privateKey));
}

/** Prepares one account's key. Throws when the key is no valid Stark private key. */
export function signingKey(privateKey: string, vault: number, chainId: string): SigningKey {
  if (!Number.isSafeInteger(vault) || vault < 0 || vault > 0xffff_ffff)
    throw new RangeViolation('vault', 'an unsigned 32-bit integer', vault);
  return {
    privateKey: bareHex(privateKey),
    publicKey: starkPublicKeyOf(privateKey),
    vault,
    messageState: spongeText(messagePrefix(chainId)),
    orderState: spongeText(orderPrefix(BigInt(vault))),
  };
}

/**
 * The CPU task: signs one order, about 2 ms. The signature's own nonce is derived from key and message (RFC 6979), so the same
 * order always gets the same signature; `entropy` is not needed.
 */
export function runExtendedSignTask(input: ExtendedSignInput, entropy: Uint8Array): ExtendedSignature {
  void entropy;
  const { key, terms } = input;
  const order = settlementOrder(terms);
  const hash = finish(spongeOf(key.messageState), [
    BigInt(key.publicKey),
    finish(spongeOf(key.orderState), orderTail(order)),
  ]);
  return { ...signHash(hash, key.privateKey), messageHash: hex(hash) };
}

/** Signs any message hash: r and s as 0x hex. */
export function signHash(hash: bigint, privateKey: string): { readonly r: string; readonly s: string } {
  const { r, s } = sign(paddedHex(hash), bareHex(privateKey));
  return { r: hex(r), s: hex(s) };
}

/** Returns whether r and s (0x hex) sign the hash for a public key given by its x coordinate. False for nonsense, never throws. */
export function verifySignature(hash: bigint, r: string, s: string, publicKey: string): boolean {
  if (!HEX.test(r) || !HEX.test(s) || !HEX.test(publicKey)) return false;
  try {
    const signature = new Signature(BigInt(r), BigInt(s));
    const x = paddedHex(BigInt(publicKey));
    // Only x is published: the signature may belong to either point with it.
    return verify(signature, paddedHex(hash), `02${x}`) || verify(signature, paddedHex(hash), `03${x}`);
  } catch {
    // r or s outside their range, or x not on the curve: refused like any other wrong signature.
    return false;
  }
}

/**
 * Returns the order nonce (1..2^31) of a client order id. Ids that differ only in their low 31 bits never collide; a collision
 * elsewhere is harmless because the signature also covers the amounts and the expiry.
 */
export function nonceOf(clientOrderId: string): number {
  if (!/^[0-9]{1,18}$/.test(clientOrderId))
    throw new RangeViolation('client order id', 'decimal integer text', clientOrderId);
  const id = BigInt(clientOrderId);
  const low = id & 0x7fff_ffffn;
  const high = (id >> 31n) & 0x1_ffffn;
  return Number(low ^ (high << 14n)) + 1;
}

const HEX = /^0x[0-9a-fA-F]{1,64}$/;

function orderTail(order: SettlementOrder): readonly bigint[] {
  return [
    order.baseAssetId,
    felt(order.baseAmount),
    order.quoteAssetId,
    felt(order.quoteAmount),
    order.feeAssetId,
    order.feeAmount,
    order.expiration,
    order.salt,
  ];
}

function orderPrefix(vault: bigint): Sponge {
  return absorb(EMPTY, typeHash(ORDER_TYPE), vault);
}

function messagePrefix(chainId: string): Sponge {
  return absorb(EMPTY, asciiFelt('StarkNet Message'), domainHash(chainId));
}

/** Poseidon's sponge takes two elements per permutation. */
function absorb(state: Sponge, first: bigint, second: bigint): Sponge {
  const [a = 0n, b = 0n, c = 0n] = poseidonSmall([(state[0] + first) % P, (state[1] + second) % P, state[2]]);
  return [a, b, c];
}

/** Absorbs the rest, closed by one 1 and zeros up to a whole pair; returns the hash. The prefix must have been whole pairs. */
function finish(state: Sponge, values: readonly bigint[]): bigint {
  const padded = values.length % 2 === 0 ? [...values, 1n, 0n] : [...values, 1n];
  let sponge = state;
  for (let at = 0; at < padded.length; at += 2) sponge = absorb(sponge, padded[at] ?? 0n, padded[at + 1] ?? 0n);
  return sponge[0];
}

function typeHash(type: string): bigint {
  return keccak(new TextEncoder().encode(type));
}

/** ASCII text read as one big-endian number. */
function asciiFelt(text: string): bigint {
  let value = 0n;
  for (const byte of new TextEncoder().encode(text)) value = (value << 8n) | BigInt(byte);
  return value;
}

function felt(value: bigint): bigint {
  return value < 0n ? P + value : value;
}

function decimal(what: string, text: string): bigint {
  const units = parseDecimal(text, DECIMALS);
  if (units === undefined || units < 0n)
    throw new RangeViolation(what, `a decimal with at most ${DECIMALS} fraction digits, zero or more`, text);
  return units;
}

function spongeText(sponge: Sponge): SpongeText {
  return [hex(sponge[0]), hex(sponge[1]), hex(sponge[2])];
}
function spongeOf(text: SpongeText): Sponge {
  return [BigInt(text[0]), BigInt(text[1]), BigInt(text[2])];
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
function paddedHex(value: bigint): string {
  return value.toString(16).padStart(64, '0');
}
function bareHex(text: string): string {
  return text.replace(/^0x/i, '');
}
