/** What both ends of Coinbase's wires share: paths, channel names, client order ids in the venue's forms. Pure; any thread. */

/** The gateway: one path for all methods. */
export const RPC_PATH = '/api/v2';
/** Advanced Trade. */
export const BROKERAGE_PATH = '/api/v3/brokerage';

/** The currency in which all perpetuals of the gateway settle. */
export const SETTLED_IN = 'USDC';
export const ACCOUNT_CHANNELS = [
  'user.orders.any.any.raw',
  'user.trades.any.any.raw',
  'user.changes.any.any.raw',
  'user.portfolio.usdc',
] as const;

export function bookChannel(symbol: string): string {
  return `book.${symbol}.100ms`;
}
export function tickerChannel(symbol: string): string {
  return `ticker.${symbol}.100ms`;
}

const LABEL = /^tdm-([1-9]\d{0,14})$/;

/** A label is the gateway's only room for an id of ours. It need not be unique there: ours are. */
export function labelOf(clientOrderId: string): string {
  return `tdm-${clientOrderId}`;
}

/** Returns our id, or empty text for a label of somebody else. */
export function idOfLabel(label: string): string {
  return LABEL.exec(label)?.[1] ?? '';
}

/** Advanced Trade asks for a UUID; ours are 48-bit integers, which is just its last group. */
const UUID_OURS = '74616e64-656d-4000-8000-';
const UUID = new RegExp(`^${UUID_OURS}([0-9a-f]{12})$`);

export function uuidOf(clientOrderId: string): string {
  return UUID_OURS + BigInt(clientOrderId).toString(16).padStart(12, '0');
}

/** Returns our id, or empty text for a UUID of somebody else. */
export function idOfUuid(uuid: string): string {
  const digits = UUID.exec(uuid)?.[1];
  return digits === undefined || /^0+$/.test(digits) ? '' : BigInt(`0x${digits}`).toString();
}

/** One call to the gateway, in the form of JSON-RPC 2.0. */
export interface RpcCall {
  readonly id: number;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export function rpcText({ id, method, params }: RpcCall): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}

/** Query text from pairs; values are percent-encoded, absent ones left out, lists repeat their name. */
export function queryOf(pairs: readonly (readonly [string, string | number | undefined])[]): string {
  return pairs
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(value ?? '')}`)
    .join('&');
}
