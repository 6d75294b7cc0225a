/**
 * Signatures of Lighter: transaction hashes, Schnorr over ECgFp5, tx_info texts, auth tokens. Pure; CPU pool threads, connector
 * threads (auth tokens only), simulated venue, tests. Loading it builds the generator's table, some 30 ms.
 */
import { GENERATOR, GROUP_ORDER, decodePoint, encodeSumOfMultiples, MultiplesTable } from './ecgfp5.ts';
import { hashElements } from './poseidon2.ts';
import type { Quintic } from './quintic.ts';
import { ATTRIBUTE_CANCEL_ALL_MARKET, SIGNED_FIELDS } from './wire.ts';

/** Name of the CPU task that runs `runLighterSignTask`. */
export const LIGHTER_SIGN_TASK = 'lighter-sign';

/** One transaction before its signature: whole numbers in the venue's scales. */
export interface LighterTransaction {
  readonly type: number;
  readonly accountIndex: number;
  readonly apiKeyIndex: number;
  readonly nonce: number;
  /** Calendar ms after which the venue must not accept it. */
  readonly expiredAt: number;
  /** Exactly the fields SIGNED_FIELDS names for the type; booleans as 0 and 1. */
  readonly fields: Readonly<Record<string, number | bigint>>;
  /** By attribute type in decimal. */
  readonly attributes?: Readonly<Record<string, number>>;
}

/** Input of the CPU task: plain data. */
export interface LighterSignInput {
  /** 40 bytes, little-endian hex. */
  readonly privateKey: string;
  readonly chainId: number;
  readonly transaction: LighterTransaction;
}
export interface LighterSignature {
  readonly txType: number;
  /** JSON object text. */
  readonly txInfo: string;
  /** 80 hex digits. */
  readonly txHash: string;
}

/** Least entropy of a signature: as many bits as the group order has. */
const ENTROPY_BYTES_MIN = 40;
const SCALAR_BYTES = 40;
const SIGNATURE_BYTES = 2 * SCALAR_BYTES;
const WORD = 64n;
const CHUNK_BYTES = 8;
const ATTRIBUTES_MAX = 4;

const generator = new MultiplesTable(GENERATOR);

/**
 * The CPU task: signs one transaction, about 0.2 ms. The secret nonce of the signature comes from `entropy` alone (at least 40
 * fresh secret bytes: a repeated one reveals the key), so that equal input and entropy give equal bytes.
 */
export function runLighterSignTask(input: LighterSignInput, entropy: Uint8Array): LighterSignature {
  const { transaction } = input;
  const hash = transactionHash(input.chainId, transaction);
  const signature = signHash(privateKeyScalar(input.privateKey), hash, secretNonce(entropy));
  return { txType: transaction.type, txInfo: txInfoText(transaction, signature), txHash: quinticHex(hash) };
}

/** Returns what a transaction's signature covers. Throws RangeError for a type or field the protocol does not have. */
export function transactionHash(chainId: number, transaction: LighterTransaction): Quintic {
  const { type, accountIndex, apiKeyIndex, nonce, expiredAt } = transaction;
  const names = signedFields(type);
  const head = [chainId, type, nonce, expiredAt, accountIndex, apiKeyIndex].map(BigInt);
  const hash = hashToQuintic([...head, ...names.map((name) => BigInt(field(transaction, name)))]);
  const attributes = effectiveAttributes(transaction.attributes ?? {});
  if (attributes.length === 0) return hash;
  const padded = Array.from({ length: ATTRIBUTES_MAX }, (_, index) => attributes[index] ?? [0, 0]);
  return hashToQuintic([...hash, ...hashToQuintic(padded.flat().map(BigInt))]);
}

/** Neutral attributes are not signed. Sorted by type. */
function effectiveAttributes(attributes: Readonly<Record<string, number>>): (readonly [number, number])[] {
  const effective = Object.entries(attributes)
    .map(([type, value]) => [Number(type), value] as const)
    .filter(([type, value]) => value !== (type === ATTRIBUTE_CANCEL_ALL_MARKET ? 255 : 0))
    .sort(([left], [right]) => left - right);
  if (effective.length > ATTRIBUTES_MAX) {
    throw new RangeError(`a transaction has at most ${ATTRIBUTES_MAX} attributes, had ${effective.length}`);
  }
  return effective;
}

function signedFields(type: number): readonly string[] {
  const names = SIGNED_FIELDS.get(type);
  if (names === undefined) {
    throw new RangeError(`transaction type must be one of ${[...SIGNED_FIELDS.keys()].join(', ')}, was ${type}`);
  }
  return names;
}

function field(transaction: LighterTransaction, name: string): number | bigint {
  const value = transaction.fields[name];
  if (value === undefined || value < 0 || (typeof value === 'number' && !Number.isSafeInteger(value))) {
    throw new RangeError(`field ${name} of transaction type ${transaction.type} must be a whole number, was ${value}`);
  }
  return value;
}

/** The transaction as the venue reads it. */
function txInfoText(transaction: LighterTransaction, signature: Uint8Array): string {
  const fields = signedFields(transaction.type).map((name) => `"${name}":${field(transaction, name)}`);
  const attributes = Object.keys(transaction.attributes ?? {}).length === 0 ? null : transaction.attributes;
  return (
    `{"AccountIndex":${transaction.accountIndex},"ApiKeyIndex":${transaction.apiKeyIndex},${fields.join(',')},` +
    `"ExpiredAt":${transaction.expiredAt},"Nonce":${transaction.nonce},` +
    `"Sig":"${Buffer.from(signature).toString('base64')}","L2TxAttributes":${JSON.stringify(attributes)}}`
  );
}

/** Returns the token text up to its last colon: what is signed. `deadlineMs` is rounded down to seconds. */
export function authTokenMessage(deadlineMs: number, accountIndex: number, apiKeyIndex: number): string {
  return `${Math.floor(deadlineMs / 1000)}:${accountIndex}:${apiKeyIndex}`;
}

/**
 * Returns an auth token. Its secret nonce is a hash of key and message, so no entropy is needed and a stream, which has none,
 * can make one in place: the same message gets the same signature, and different messages get unrelated nonces.
 */
export function authToken(privateKey: string, message: string): string {
  const scalar = privateKeyScalar(privateKey);
  const words = [...scalarWords(scalar), ...textWords(message)];
  const high = quinticScalar(hashToQuintic([1n, ...words]));
  const nonce = (((high << (5n * WORD)) | quinticScalar(hashToQuintic([2n, ...words]))) % (GROUP_ORDER - 1n)) + 1n;
  return `${message}:${bytesHex(signHash(scalar, textHash(message), nonce))}`;
}

/** Returns the element an ASCII text is signed as. */
export function textHash(text: string): Quintic {
  return hashToQuintic(textWords(text));
}

/** Signs a hash: s, then e, 40 bytes each. `nonce` is 1 to GROUP_ORDER - 1, secret and never used twice. */
export function signHash(privateKey: bigint, hash: Quintic, nonce: bigint): Uint8Array {
  const e = challenge(encodeSumOfMultiples([{ scalar: nonce, table: generator }]), hash);
  const s = (((nonce - e * privateKey) % GROUP_ORDER) + GROUP_ORDER) % GROUP_ORDER;
  const signature = new Uint8Array(SIGNATURE_BYTES);
  signature.set(scalarBytes(s));
  signature.set(scalarBytes(e), SCALAR_BYTES);
  return signature;
}

/** Checks signatures of one public key; made once per key. The first check takes some 10 ms, each other 0.25 ms. */
export interface Verifier {
  /** False for nonsense, never throws. */
  verify(hash: Quintic, signature: Uint8Array): boolean;
}

/** Returns the verifier of a public key in hex, or undefined when it is no point of the curve. */
export function verifierOf(publicKey: string): Verifier | undefined {
  const bytes = hexBytes(publicKey);
  const point = bytes?.length === SCALAR_BYTES ? decodePoint(bytesQuintic(bytes)) : undefined;
  if (point === undefined) return undefined;
  const table = new MultiplesTable(point);
  return {
    verify(hash, signature) {
      if (signature.length !== SIGNATURE_BYTES) return false;
      const s = bytesInteger(signature.subarray(0, SCALAR_BYTES));
      const e = bytesInteger(signature.subarray(SCALAR_BYTES));
      if (s >= GROUP_ORDER || e >= GROUP_ORDER) return false;
      const commitment = encodeSumOfMultiples([
        { scalar: s, table: generator },
        { scalar: e, table },
      ]);
      return challenge(commitment, hash) === e;
    },
  };
}

/** Returns the public key of a private key, both 40 bytes of hex. */
export function lighterPublicKeyOf(privateKey: string): string {
  return quinticHex(encodeSumOfMultiples([{ scalar: privateKeyScalar(privateKey), table: generator }]));
}

/** Reads a private key; throws RangeError without naming the value. */
export function privateKeyScalar(privateKey: string): bigint {
  const bytes = hexBytes(privateKey);
  const scalar = bytes?.length === SCALAR_BYTES ? bytesInteger(bytes) % GROUP_ORDER : 0n;
  if (scalar === 0n) throw new RangeError('a lighter private key must be 40 bytes of hex other than 0');
  return scalar;
}

/** Returns a secret nonce, 1 to GROUP_ORDER - 1, of entropy. The order is just above 2^319: the remainder's bias is below 2^-31. */
function secretNonce(entropy: Uint8Array): bigint {
  if (entropy.length < ENTROPY_BYTES_MIN) {
    throw new RangeError(`a signature needs at least ${ENTROPY_BYTES_MIN} bytes of entropy, had ${entropy.length}`);
  }
  return (bytesInteger(entropy) % (GROUP_ORDER - 1n)) + 1n;
}

function challenge(commitment: Quintic, hash: Quintic): bigint {
  return quinticScalar(hashToQuintic([...commitment, ...hash])) % GROUP_ORDER;
}

function hashToQuintic(input: readonly bigint[]): Quintic {
  const [h0 = 0n, h1 = 0n, h2 = 0n, h3 = 0n, h4 = 0n] = hashElements(input, 5);
  return [h0, h1, h2, h3, h4];
}

/** Text as little-endian words of eight bytes, the last one padded with zeros. */
function textWords(text: string): bigint[] {
  const bytes = new TextEncoder().encode(text);
  return Array.from({ length: Math.ceil(bytes.length / CHUNK_BYTES) }, (_, index) =>
    bytesInteger(bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES)),
  );
}

function scalarWords(scalar: bigint): bigint[] {
  return [0n, 1n, 2n, 3n, 4n].map((index) => BigInt.asUintN(64, scalar >> (index * WORD)));
}

function quinticScalar(value: Quintic): bigint {
  return value.reduceRight((above, word) => (above << WORD) | word, 0n);
}

function bytesQuintic(bytes: Uint8Array): Quintic {
  const word = (index: number): bigint => bytesInteger(bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES));
  return [word(0), word(1), word(2), word(3), word(4)];
}

/** 40 bytes as 80 hex digits, little-endian. */
export function quinticHex(value: Quintic): string {
  return bytesHex(scalarBytes(quinticScalar(value)));
}

// Everything on this wire is little-endian.

function bytesInteger(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytesHex(bytes.toReversed())}`);
}

function scalarBytes(value: bigint): Uint8Array {
  return Buffer.from(value.toString(16).padStart(2 * SCALAR_BYTES, '0'), 'hex').reverse();
}

function bytesHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function hexBytes(text: string): Uint8Array | undefined {
  return /^(?:[0-9a-fA-F]{2})+$/.test(text) ? Buffer.from(text, 'hex') : undefined;
}
