import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { decodePoint, encodeSumOfMultiples, GROUP_ORDER, MultiplesTable } from '../../../src/venues/lighter/ecgfp5.ts';
import { GOLDILOCKS_PRIME } from '../../../src/venues/lighter/goldilocks.ts';
import {
  EXTERNAL_ROUND_CONSTANTS,
  FULL_ROUNDS,
  INTERNAL_DIAGONAL,
  INTERNAL_ROUND_CONSTANTS,
  PARTIAL_ROUNDS,
  RATE,
  WIDTH,
} from '../../../src/venues/lighter/poseidon2-constants.ts';
import { hashElements, Permutation } from '../../../src/venues/lighter/poseidon2.ts';
import type { Quintic } from '../../../src/venues/lighter/quintic.ts';
import {
  authToken,
  authTokenMessage,
  lighterPublicKeyOf,
  quinticHex,
  runLighterSignTask,
  signHash,
  textHash,
  transactionHash,
  verifierOf,
} from '../../../src/venues/lighter/sign.ts';
import type { LighterSignInput, LighterTransaction } from '../../../src/venues/lighter/sign.ts';
import { SIGNED_FIELDS } from '../../../src/venues/lighter/wire.ts';

interface Vectors {
  readonly constants: {
    readonly goldilocksPrime: string;
    readonly groupOrder: string;
    readonly poseidon2: Readonly<Record<'width' | 'rate' | 'fullRounds' | 'partialRounds', number>> & {
      readonly externalRoundConstants: readonly (readonly string[])[];
      readonly internalRoundConstants: readonly string[];
      readonly internalDiagonal: readonly string[];
    };
  };
  readonly poseidon2Permute: { readonly cases: readonly { readonly input: string; readonly output: string }[] };
  readonly poseidon2Sponge: {
    readonly cases: readonly { readonly input: string; readonly num_outputs: number; readonly output: string }[];
  };
  readonly hashToQuintic: { readonly cases: readonly { readonly input: string; readonly output: string }[] };
  readonly curveDecode: {
    readonly cases: readonly { readonly w: string; readonly decodes: boolean; readonly is_neutral: boolean }[];
  };
  readonly curveAdd: {
    readonly cases: readonly {
      readonly a_w: string;
      readonly b_w: string;
      readonly sum_w: string;
      readonly a_double_w: string;
    }[];
  };
  readonly curveScalarMul: {
    readonly cases: readonly { readonly base_w: string; readonly scalar_le: string; readonly out_w: string }[];
  };
  readonly keygen: { readonly cases: readonly { readonly sk: string; readonly pk: string }[] };
  readonly schnorrSign: {
    readonly cases: readonly {
      readonly sk: string;
      readonly hashed_msg: string;
      readonly k: string;
      readonly sig: string;
    }[];
  };
  readonly transactions: {
    readonly publicKey: string;
    readonly cases: readonly {
      readonly kind: string;
      readonly chain_id: number;
      readonly tx_type: number;
      readonly tx_info: string;
      readonly tx_hash: string;
      readonly sig: string;
    }[];
  };
  readonly authTokens: {
    readonly publicKey: string;
    readonly cases: readonly {
      readonly deadline: number;
      readonly account_index: number;
      readonly api_key_index: number;
      readonly token: string;
    }[];
  };
  readonly ownTransactions: {
    readonly secretKey: string;
    readonly cases: readonly {
      readonly tx_type: number;
      readonly chain_id: number;
      readonly tx: Record<string, unknown>;
      readonly note: string;
      readonly tx_hash: string;
      readonly k: string;
      readonly sig_base64: string;
    }[];
  };
  readonly ownAuthToken: { readonly message: string; readonly hash: string };
}

const vectorsUrl = new URL('../../../../shared/venues/vectors/lighter.json', import.meta.url);
const vectors: Vectors | undefined = existsSync(vectorsUrl)
  ? (JSON.parse(readFileSync(vectorsUrl, 'utf8')) as Vectors)
  : undefined;

function words(hex: string): bigint[] {
  return Array.from({ length: hex.length / 16 }, (_, index) => integer(hex.slice(index * 16, index * 16 + 16)));
}
/** Constants are written as numbers are read. */
function bigEndianWords(hex: string): bigint[] {
  return Array.from({ length: hex.length / 16 }, (_, index) => BigInt(`0x${hex.slice(index * 16, index * 16 + 16)}`));
}
function integer(hex: string): bigint {
  return hex === '' ? 0n : BigInt(`0x${Buffer.from(hex, 'hex').reverse().toString('hex')}`);
}
function quintic(hex: string): Quintic {
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n] = words(hex);
  return [a, b, c, d, e];
}
function bytes(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex');
}
function table(w: string): MultiplesTable {
  const point = decodePoint(quintic(w));
  if (point === undefined) throw new Error(`${w} must be a point`);
  return new MultiplesTable(point);
}
/** Entropy from which exactly the secret nonce k is made. */
function entropyOf(k: string): Uint8Array {
  return bytes(
    Buffer.from((integer(k) - 1n).toString(16).padStart(80, '0'), 'hex')
      .reverse()
      .toString('hex'),
  );
}

function transactionOf(type: number, info: Record<string, unknown>): LighterTransaction {
  const number = (name: string): number => Number(info[name]);
  const fields = Object.fromEntries((SIGNED_FIELDS.get(type) ?? []).map((name) => [name, number(name)]));
  const attributes = info['L2TxAttributes'];
  return {
    type,
    accountIndex: number('AccountIndex'),
    apiKeyIndex: number('ApiKeyIndex'),
    nonce: number('Nonce'),
    expiredAt: number('ExpiredAt'),
    fields,
    ...(typeof attributes === 'object' && attributes !== null
      ? { attributes: attributes as Record<string, number> }
      : {}),
  };
}

describe.skipIf(vectors === undefined)('against the shared vectors (skipped when ../shared is absent)', () => {
  it('has their constants', () => {
    const { goldilocksPrime, groupOrder, poseidon2 } = vectors?.constants ?? {};
    expect([GOLDILOCKS_PRIME, GROUP_ORDER].map(String)).toEqual([goldilocksPrime, groupOrder]);
    expect([WIDTH, RATE, FULL_ROUNDS, PARTIAL_ROUNDS]).toEqual([
      poseidon2?.width,
      poseidon2?.rate,
      poseidon2?.fullRounds,
      poseidon2?.partialRounds,
    ]);
    const numbers = (texts: readonly string[] = []): readonly bigint[] => texts.map((text) => BigInt(text));
    expect(EXTERNAL_ROUND_CONSTANTS.flatMap(bigEndianWords)).toEqual(numbers(poseidon2?.externalRoundConstants.flat()));
    expect(INTERNAL_ROUND_CONSTANTS.flatMap(bigEndianWords)).toEqual(numbers(poseidon2?.internalRoundConstants));
    expect(INTERNAL_DIAGONAL.flatMap(bigEndianWords)).toEqual(numbers(poseidon2?.internalDiagonal));
  });

  test.each(vectors?.poseidon2Permute.cases ?? [])(
    'permutes as the official implementation (%#)',
    ({ input, output }) => {
      const permutation = new Permutation();
      words(input).forEach((word, index) => permutation.set(index, word));
      permutation.run();
      expect(words(output).map((_, index) => permutation.get(index))).toEqual(words(output));
    },
  );

  test.each(vectors?.poseidon2Sponge.cases ?? [])(
    'absorbs and squeezes as the official sponge (%#)',
    ({ input, num_outputs, output }) => {
      expect(hashElements(words(input), num_outputs)).toEqual(words(output));
    },
  );

  test.each(vectors?.hashToQuintic.cases ?? [])('hashes to a field element (%#)', ({ input, output }) => {
    expect(hashElements(words(input), 5)).toEqual(words(output));
  });

  test.each(vectors?.curveDecode.cases ?? [])('decodes exactly what is a point (%#)', ({ w, decodes, is_neutral }) => {
    // The neutral point is no base anybody may use.
    expect(decodePoint(quintic(w)) !== undefined).toBe(decodes && !is_neutral);
  });

  test.each(vectors?.curveAdd.cases ?? [])('adds and doubles points (%#)', ({ a_w, b_w, sum_w, a_double_w }) => {
    const a = table(a_w);
    const sum = encodeSumOfMultiples([
      { scalar: 1n, table: a },
      { scalar: 1n, table: table(b_w) },
    ]);
    expect(quinticHex(sum)).toBe(sum_w);
    expect(quinticHex(encodeSumOfMultiples([{ scalar: 2n, table: a }]))).toBe(a_double_w);
  });

  test.each(vectors?.curveScalarMul.cases ?? [])('multiplies points (%#)', ({ base_w, scalar_le, out_w }) => {
    expect(quinticHex(encodeSumOfMultiples([{ scalar: integer(scalar_le) % GROUP_ORDER, table: table(base_w) }]))).toBe(
      out_w,
    );
  });

  test.each(vectors?.keygen.cases ?? [])('derives public keys (%#)', ({ sk, pk }) => {
    expect(lighterPublicKeyOf(sk)).toBe(pk);
  });

  test.each(vectors?.schnorrSign.cases ?? [])('signs with a given secret nonce (%#)', ({ sk, hashed_msg, k, sig }) => {
    expect(Buffer.from(signHash(integer(sk) % GROUP_ORDER, quintic(hashed_msg), integer(k))).toString('hex')).toBe(sig);
  });

  const official = (vectors?.transactions.cases ?? []).filter(({ tx_type }) => SIGNED_FIELDS.has(tx_type));
  test.each(official)(
    'hashes the official $kind and accepts its signature (%#)',
    ({ chain_id, tx_type, tx_info, tx_hash, sig }) => {
      const hash = transactionHash(chain_id, transactionOf(tx_type, JSON.parse(tx_info) as Record<string, unknown>));
      expect(quinticHex(hash)).toBe(tx_hash);
      expect(verifierOf(vectors?.transactions.publicKey ?? '')?.verify(hash, bytes(sig))).toBe(true);
    },
  );

  test.each(official)('writes the tx_info of the official $kind (%#)', ({ chain_id, tx_type, tx_info }) => {
    const privateKey = vectors?.ownTransactions.secretKey ?? '';
    const transaction = transactionOf(tx_type, JSON.parse(tx_info) as Record<string, unknown>);
    const signed = runLighterSignTask({ privateKey, chainId: chain_id, transaction }, new Uint8Array(64).fill(9));
    const withoutSignature = (text: string): string => text.replace(/"Sig":"[^"]*"/, '');
    expect(withoutSignature(signed.txInfo)).toBe(withoutSignature(tx_info));
  });

  test.each(vectors?.ownTransactions.cases ?? [])(
    'signs: $note',
    ({ tx_type, chain_id, tx, k, tx_hash, sig_base64 }) => {
      const input = {
        privateKey: vectors?.ownTransactions.secretKey ?? '',
        chainId: chain_id,
        transaction: transactionOf(tx_type, tx),
      };
      const signed = runLighterSignTask(input, entropyOf(k));
      expect(signed.txHash).toBe(tx_hash);
      expect((JSON.parse(signed.txInfo) as Record<string, unknown>)['Sig']).toBe(sig_base64);
    },
  );

  test.each(vectors?.authTokens.cases ?? [])(
    'accepts the official auth token (%#)',
    ({ deadline, account_index, api_key_index, token }) => {
      const message = authTokenMessage(deadline * 1000, account_index, api_key_index);
      expect(token.startsWith(`${message}:`)).toBe(true);
      const signature = bytes(token.slice(message.length + 1));
      expect(verifierOf(vectors?.authTokens.publicKey ?? '')?.verify(textHash(message), signature)).toBe(true);
    },
  );

  it('hashes the text of an auth token', () => {
    expect(quinticHex(textHash(vectors?.ownAuthToken.message ?? ''))).toBe(vectors?.ownAuthToken.hash);
  });
});

// A key of no account anywhere, and signatures that this implementation made when it agreed with every shared vector.
const PRIVATE_KEY = '0b8e0f63c24d8baacd9d29ad4e9a4b73c4a8d2bb8b16dc4fa9d7c2e1d3a8b1f0e8d3a4c5b6e7f001';
const PUBLIC_KEY = '2c4fbfa7d45258fb02da89eaaf8a3af8eb62106ddd86cd98886e0fadcd7fcacf6f8fd2af3ca004f5';

function cancelInput(index: number): LighterSignInput {
  return {
    privateKey: PRIVATE_KEY,
    chainId: 304,
    transaction: {
      type: 15,
      accountIndex: 12345,
      apiKeyIndex: 5,
      nonce: 8,
      expiredAt: 1_777_809_907_007,
      fields: { MarketIndex: 1, Index: index },
    },
  };
}

function verifies(hash: Quintic, signature: Uint8Array): boolean | undefined {
  return verifierOf(PUBLIC_KEY)?.verify(hash, signature);
}

describe('signatures', () => {
  it('derives the known public key', () => {
    expect(lighterPublicKeyOf(PRIVATE_KEY)).toBe(PUBLIC_KEY);
  });

  it('gives equal bytes for equal input and entropy, others for other entropy', () => {
    const first = runLighterSignTask(cancelInput(7), new Uint8Array(64).fill(1));
    expect(runLighterSignTask(cancelInput(7), new Uint8Array(64).fill(1))).toEqual(first);
    expect(runLighterSignTask(cancelInput(7), new Uint8Array(64).fill(2)).txInfo).not.toBe(first.txInfo);
  });

  it('verifies what it signed, and nothing that was changed', () => {
    const input = cancelInput(7);
    const signed = runLighterSignTask(
      input,
      new Uint8Array(64).map((_, index) => index * 37),
    );
    const signature = new Uint8Array(
      Buffer.from(String((JSON.parse(signed.txInfo) as Record<string, unknown>)['Sig']), 'base64'),
    );
    expect(verifies(transactionHash(304, input.transaction), signature)).toBe(true);
    expect(verifies(transactionHash(300, input.transaction), signature)).toBe(false);
    expect(verifies(transactionHash(304, cancelInput(8).transaction), signature)).toBe(false);
    const changed = signature.with(3, (signature[3] ?? 0) ^ 1);
    expect(verifies(transactionHash(304, input.transaction), changed)).toBe(false);
    expect(verifies(transactionHash(304, input.transaction), signature.subarray(1))).toBe(false);
    expect(verifies(transactionHash(304, input.transaction), new Uint8Array(80).fill(255))).toBe(false);
  });

  it('refuses to sign with too little entropy', () => {
    expect(() => runLighterSignTask(cancelInput(7), new Uint8Array(39))).toThrow(/at least 40 bytes of entropy/);
  });

  it('refuses fields the protocol does not have', () => {
    const input = cancelInput(1.5);
    expect(() => runLighterSignTask(input, new Uint8Array(64))).toThrow(/field Index .* whole number/);
    expect(() =>
      runLighterSignTask({ ...input, transaction: { ...input.transaction, type: 99 } }, new Uint8Array(64)),
    ).toThrow(/type must be one of/);
  });

  it('never names a bad private key', () => {
    expect(() => lighterPublicKeyOf('beef')).toThrow(/^a lighter private key must be 40 bytes of hex/);
  });

  it('makes auth tokens that verify, the same for the same message', () => {
    const message = authTokenMessage(1_777_809_907_999, 12345, 5);
    const token = authToken(PRIVATE_KEY, message);
    expect(token).toBe(authToken(PRIVATE_KEY, message));
    expect(token).toMatch(/^1777809907:12345:5:[0-9a-f]{160}$/);
    expect(verifies(textHash(message), bytes(token.split(':')[3] ?? ''))).toBe(true);
  });
});
