/**
 * Keys and numbers of accounts on simulated venues. Published on purpose: they are worked out from the account's name, open
 * nothing outside a simulation and must never be used on a real venue. Any thread.
 */
import { createHash } from 'node:crypto';
import { accountTypeOptions } from '../venues/hosts.ts';

/** What an engine needs to sign in: the shapes of the venue adapters' secrets and options. */
export interface DemoAccount {
  readonly name: string;
  readonly secrets: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string | number | boolean>>;
}

const FIRST_NUMBER = 100_000;
const NUMBERS = 800_000;
const LIGHTER_API_KEY_INDEX = 4;

const MAKERS: ReadonlyMap<string, (name: string) => DemoAccount> = new Map([
  ['lighter', lighterAccount],
  ['extended', extendedAccount],
  ['bybit', bybitAccount],
  ['hyperliquid', hyperliquidAccount],
  ['coinbase', coinbaseAccount],
]);

/** Returns the same account for the same names, in every process. Throws RangeError for a venue without simulation. */
export function demoAccount(venue: string, name: string, accountType?: string): DemoAccount {
  const make = MAKERS.get(venue);
  if (make === undefined)
    throw new RangeError(`a simulated venue must be one of ${[...MAKERS.keys()].join(', ')}, was ${venue}`);
  const account = make(name);
  return { ...account, options: { ...account.options, ...accountTypeOptions(accountType) } };
}

function lighterAccount(name: string): DemoAccount {
  const digits = hexDigest('lighter', name, 'key') + hexDigest('lighter', name, 'key end').slice(0, 14);
  return {
    name,
    // 40 bytes, little-endian; the last one is small so that the number is below the group order.
    secrets: { privateKey: `${digits}1f` },
    options: { accountIndex: accountNumber('lighter', name), apiKeyIndex: LIGHTER_API_KEY_INDEX },
  };
}

function extendedAccount(name: string): DemoAccount {
  return {
    name,
    secrets: {
      apiKey: hexDigest('extended', name, 'api key').slice(0, 32),
      // 31 bytes are below the order of the Stark curve.
      privateKey: `0x${hexDigest('extended', name, 'key').slice(0, 62)}`,
    },
    options: { vault: accountNumber('extended', name) },
  };
}

function bybitAccount(name: string): DemoAccount {
  return {
    name,
    secrets: {
      apiKey: hexDigest('bybit', name, 'api key').slice(0, 18),
      apiSecret: hexDigest('bybit', name, 'api secret').slice(0, 36),
    },
    options: {},
  };
}

function hyperliquidAccount(name: string): DemoAccount {
  return {
    name,
    // 32 bytes that start with a zero are below the order of secp256k1.
    secrets: { privateKey: `0x00${hexDigest('hyperliquid', name, 'agent key').slice(2)}` },
    // The key only signs for the account, as an API wallet does.
    options: { address: `0x${hexDigest('hyperliquid', name, 'address').slice(0, 40)}` },
  };
}

function coinbaseAccount(name: string): DemoAccount {
  const id = hexDigest('coinbase', name, 'key id').slice(0, 32);
  return {
    name,
    secrets: {
      keyName: `organizations/simulation/apiKeys/${id}`,
      // A seed of an Ed25519 key: its signatures are the same each time, so that a simulated world repeats itself.
      privateKey: Buffer.from(hexDigest('coinbase', name, 'key'), 'hex').toString('base64'),
    },
    options: {},
  };
}

function accountNumber(venue: string, name: string): number {
  return FIRST_NUMBER + (Number.parseInt(hexDigest(venue, name, 'number').slice(0, 8), 16) % NUMBERS);
}

function hexDigest(venue: string, name: string, purpose: string): string {
  return createHash('sha256').update(`tandem simulation only: ${venue} ${name} ${purpose}`).digest('hex');
}
