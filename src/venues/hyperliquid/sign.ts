/**
 * Signatures of Hyperliquid actions: the hash of an action stands in a made-up EIP-712 "agent", which a secp256k1 key signs; the venue
 * recovers the signer's address from it. Pure; CPU pool threads, simulated venues and tests.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { RangeViolation } from '../../money/range-violation.ts';
import { bigEndian, packAction } from './msgpack.ts';
import type { ActionValue } from './msgpack.ts';

/** Name of the CPU task that runs `runHyperliquidSignTask`. */
export const HYPERLIQUID_SIGN_TASK = 'hyperliquid-sign';

export type Network = 'mainnet' | 'testnet';

/** What a signature covers besides the network. */
export interface SignedTerms {
  readonly action: ActionValue;
  /** Epoch ms, used once per signer. */
  readonly nonce: number;
  /** 0x and 40 hex digits: the sub-account or vault that is acted for. */
  readonly vaultAddress?: string;
  /** Epoch ms after which the venue refuses the action. */
  readonly expiresAfter?: number;
}

/** Input of the CPU task: plain data. */
export interface HyperliquidSignInput extends SignedTerms {
  readonly privateKey: string;
  readonly network: Network;
}

/** As the wire has it: 0x and 64 hex digits each; `v` is 27 or 28. */
export interface WireSignature {
  readonly r: string;
  readonly s: string;
  readonly v: number;
}

const HASH_BYTES = 32;
const ADDRESS_BYTES = 20;
const V_BASE = 27;

const DOMAIN_HASH = keccak_256(
  joined([
    typeHash('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'),
    typeHash('Exchange'),
    typeHash('1'),
    Uint8Array.from([...new Uint8Array(24), ...bigEndian(1337, 8)]),
    new Uint8Array(HASH_BYTES),
  ]),
);
const AGENT_TYPE_HASH = typeHash('Agent(string source,bytes32 connectionId)');
const SOURCE_HASH: Readonly<Record<Network, Uint8Array>> = { mainnet: typeHash('a'), testnet: typeHash('b') };

/** Returns the hash of an action with its nonce, vault and expiry: the agent's connection id. */
export function actionHash(terms: SignedTerms): Uint8Array {
  const { vaultAddress, expiresAfter } = terms;
  return keccak_256(
    joined([
      packAction(terms.action),
      Uint8Array.from(bigEndian(epochMs('nonce', terms.nonce), 8)),
      vaultAddress === undefined ? Uint8Array.of(0) : joined([Uint8Array.of(1), addressBytes(vaultAddress)]),
      expiresAfter === undefined
        ? new Uint8Array(0)
        : Uint8Array.from([0, ...bigEndian(epochMs('expiresAfter', expiresAfter), 8)]),
    ]),
  );
}

/** Returns the 32 bytes that are signed. */
export function agentDigest(connectionId: Uint8Array, network: Network): Uint8Array {
  const agent = keccak_256(joined([AGENT_TYPE_HASH, SOURCE_HASH[network], connectionId]));
  return keccak_256(joined([Uint8Array.of(0x19, 0x01), DOMAIN_HASH, agent]));
}

/** Signs a digest; the same digest and key always give the same signature. */
export function signDigest(digest: Uint8Array, privateKey: string): WireSignature {
  const signature = secp256k1.sign(digest, privateKeyBytes(privateKey), { prehash: false, format: 'recovered' });
  return {
    r: hexText(signature.subarray(1, 33)),
    s: hexText(signature.subarray(33)),
    v: V_BASE + (signature[0] ?? 0),
  };
}

/** The CPU task. */
export function runHyperliquidSignTask(input: HyperliquidSignInput): WireSignature {
  return signDigest(agentDigest(actionHash(input), input.network), input.privateKey);
}

/** Returns the address that signed a digest, lower case, or undefined when the signature is none. */
export function recoverAddress(digest: Uint8Array, signature: WireSignature): string | undefined {
  const { r, s, v } = signature;
  if (v !== V_BASE && v !== V_BASE + 1) return undefined;
  try {
    const bytes = joined([Uint8Array.of(v - V_BASE), hexBytes(r, HASH_BYTES), hexBytes(s, HASH_BYTES)]);
    return addressOfPoint(secp256k1.recoverPublicKey(bytes, digest, { prehash: false }));
  } catch {
    // Whatever the library finds wrong with it: nobody signed this.
    return undefined;
  }
}

/** Returns the address of a private key, lower case. Throws RangeViolation when it is none. */
export function addressOf(privateKey: string): string {
  const bytes = privateKeyBytes(privateKey);
  if (!secp256k1.utils.isValidSecretKey(bytes))
    throw new RangeViolation('private key', 'a number below the order of secp256k1', 'one outside');
  return addressOfPoint(secp256k1.getPublicKey(bytes, false));
}

/** Returns an address in lower case, as it is hashed. Throws RangeViolation for anything else. */
export function checkedAddress(what: string, text: string): string {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw new RangeViolation(what, '0x and 40 hex digits', text);
  return text.toLowerCase();
}

function addressOfPoint(publicKey: Uint8Array): string {
  const point = secp256k1.Point.fromBytes(publicKey).toBytes(false);
  return hexText(keccak_256(point.subarray(1)).subarray(-ADDRESS_BYTES));
}

function privateKeyBytes(privateKey: string): Uint8Array {
  // The key itself must not stand in an error.
  if (!/^(?:0x)?[0-9a-fA-F]{64}$/.test(privateKey))
    throw new RangeViolation('private key', '64 hex digits', `${privateKey.length} characters`);
  return hexBytes(`0x${privateKey.slice(-64)}`, HASH_BYTES);
}

function addressBytes(address: string): Uint8Array {
  return hexBytes(checkedAddress('vault address', address), ADDRESS_BYTES);
}

/** Missing leading zeros are supplied: some clients drop them. */
function hexBytes(text: string, byteCount: number): Uint8Array {
  if (!/^0x[0-9a-fA-F]+$/.test(text) || text.length > 2 + 2 * byteCount)
    throw new RangeViolation('hex text', `0x and at most ${2 * byteCount} hex digits`, text.slice(0, 80));
  const digits = text.slice(2).padStart(2 * byteCount, '0');
  return Uint8Array.from({ length: byteCount }, (_, index) =>
    Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16),
  );
}

export function hexText(bytes: Uint8Array): string {
  let text = '0x';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

function epochMs(what: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeViolation(what, 'a whole number of ms', value);
  return value;
}

function typeHash(text: string): Uint8Array {
  return keccak_256(new TextEncoder().encode(text));
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
