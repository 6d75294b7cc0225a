/** Hyperliquid's limits, what each question weighs, and what its words of refusal mean for us. Pure; any thread. */
import type { AccessProblem } from '../access.ts';
import type { LimitProfile, RefusalClass } from '../venue.ts';

export const MINUTE_MS = 60_000;

/** Subscriptions on all sockets of one IP address together. */
export const SUBSCRIPTIONS_MAX = 1_000;

/** Per IP address. Besides these every account has a budget of actions that grows with its volume: see ADDRESS_ACTIONS_FREE. */
export const HYPERLIQUID_LIMITS: LimitProfile = {
  rest: { name: 'hyperliquid-rest', max: 1_200, windowMs: MINUTE_MS, per: 'address' },
  socketMessages: { name: 'hyperliquid-messages', max: 2_000, windowMs: MINUTE_MS, per: 'address' },
  connects: { name: 'hyperliquid-connects', max: 30, windowMs: MINUTE_MS, per: 'address' },
  connectionsMax: 10,
  subscriptionsMax: SUBSCRIPTIONS_MAX,
};
/** Requests over a socket that may be unanswered at once, per IP address. */
export const POSTS_IN_FLIGHT_MAX = 100;

/** Sockets per IP address: open at once, opened in a minute, users on all of them together. */
export const CONNECTIONS_MAX = 10;
export const CONNECTIONS_PER_MINUTE_MAX = 30;
export const USERS_MAX = 10;

/** Actions of an account without volume; one more for each quote unit traded, and one in ten seconds when they are used up. */
export const ADDRESS_ACTIONS_FREE = 10_000;
export const ADDRESS_PAUSE_MS = 10_000;
/** Cancels go on for longer, so that a used-up account can still end its orders. */
export const CANCELS_EXTRA = 100_000;

export const OPEN_ORDERS_MAX = 1_000;

/** Answers come in pages of this many at most. */
export const FILLS_PAGE = 2_000;
export const RATES_PAGE = 500;

const LIGHT_QUESTIONS: ReadonlySet<string> = new Set([
  'l2Book',
  'allMids',
  'clearinghouseState',
  'orderStatus',
  'spotClearinghouseState',
  'exchangeStatus',
]);
const WEIGHT_BY_ITEMS: ReadonlySet<string> = new Set([
  'recentTrades',
  'historicalOrders',
  'userFills',
  'userFillsByTime',
  'fundingHistory',
  'userFunding',
]);
const ITEMS_PER_WEIGHT = 20;

/** Returns what a question weighs whose answer has so many items. */
export function infoWeight(type: string, items = 0): number {
  if (LIGHT_QUESTIONS.has(type)) return 2;
  if (type === 'userRole') return 60;
  return 20 + (WEIGHT_BY_ITEMS.has(type) ? Math.floor(items / ITEMS_PER_WEIGHT) : 0);
}

/** Returns what an action with so many orders or cancels weighs. */
export function exchangeWeight(batch: number): number {
  return 1 + Math.floor(batch / 40);
}

/** The venue's words, which may be followed by ` asset=N` and more. The first that the text begins with counts. */
const CLASS_BY_TEXT: readonly (readonly [string, RefusalClass])[] = [
  // A wrong hash recovers a stranger's address: nothing will work until a person looks.
  ['User or API Wallet', 'fatal'],
  ['Must deposit', 'fatal'],
  ['L1 error: User or API Wallet', 'fatal'],
  ['Vault not registered', 'fatal'],
  ['Price must be divisible by tick size', 'permanent'],
  ['Order has invalid price', 'permanent'],
  ['Order has invalid size', 'permanent'],
  ['Order has zero size', 'permanent'],
  ['Order must have minimum value', 'permanent'],
  ['Invalid TP/SL price', 'permanent'],
  ['Invalid leverage', 'permanent'],
  ['Insufficient margin', 'state'],
  ['Cannot decrease leverage', 'state'],
  ['Reduce only order would increase position', 'state'],
  ['Post only order would have immediately matched', 'state'],
  ['Order could not immediately match', 'state'],
  ['No liquidity available', 'state'],
  ['Order would increase open interest', 'state'],
  ['Order rejected due to price more aggressive than oracle', 'state'],
  ['Order price too far from oracle', 'state'],
  ['Order price cannot be more than', 'state'],
  ['Order would cause position to exceed', 'state'],
  ['Order was never placed, already canceled, or filled', 'state'],
  ['Too many open orders', 'state'],
  ['Only post-only orders allowed', 'state'],
  // Only actions are refused, and not all of them: questions and most cancels go on, so the whole bucket is not silenced.
  ['Too many cumulative requests sent', 'transient'],
  ['Action expired', 'transient'],
  // One that was used already may have been used by this very request.
  ['Invalid nonce: duplicate', 'unknown-outcome'],
  ['Invalid nonce', 'transient'],
  ['Nonce', 'transient'],
  ['Duplicate cloid', 'duplicate'],
];

/** Returns what a refusal means. Words we do not know prove nothing. */
export function refusalClassOf(status: number, text: string): RefusalClass {
  if (status === 429) return 'rate-limit';
  if (status === 401 || status === 403) return 'fatal';
  // The body could not even be read as a request.
  if (status === 422 || status === 400) return 'permanent';
  if (status >= 500) return 'unknown-outcome';
  return CLASS_BY_TEXT.find(([words]) => text.startsWith(words))?.[1] ?? 'unknown-outcome';
}

/** Returns what a refusal says about our access. A signature that does not hold looks like an unknown wallet. */
export function accessProblemOf(code: string): AccessProblem | undefined {
  if (code.startsWith('USER_OR_API_WALLET') || code.startsWith('L1_ERROR')) return 'wrong-key';
  return code === 'MUST_DEPOSIT' || code === 'VAULT_NOT_REGISTERED' ? 'wrong-account' : undefined;
}

/** Returns a short code of a refusal: its words without the numbers that differ each time. */
export function refusalCodeOf(status: number, text: string): string {
  if (status !== 200) return `HTTP_${status}`;
  const known = CLASS_BY_TEXT.find(([words]) => text.startsWith(words))?.[0] ?? 'Unknown refusal';
  return known.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
}
