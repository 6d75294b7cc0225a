/**
 * What may be asked and done by chat: look, pause, kill. Only what lowers risk, only by named people in private, kill only when
 * said twice; answers are fixed templates. Pure state and decisions.
 */

export interface ChatCommandsState {
  /** When each person's latest commands came, epoch ms. */
  readonly takenAtMs: ReadonlyMap<string, readonly number[]>;
  /** Kills waiting to be confirmed, by person. */
  readonly pending: ReadonlyMap<string, { readonly level: 1 | 2 | 3; readonly code: string; readonly untilMs: number }>;
}

export const newChatCommands: ChatCommandsState = { takenAtMs: new Map(), pending: new Map() };

export interface ChatMessage {
  /** Numeric, as text. */
  readonly userId: string;
  readonly isPrivate: boolean;
  readonly text: string;
  readonly atMs: number;
}

/** What the engine is, for the answer to status. */
export interface ChatFacts {
  readonly state: string;
  readonly reason: string;
  readonly openPairs: number;
  readonly netResultQuote: number;
  readonly venuesReady: number;
  readonly venues: number;
  readonly alertsActive: number;
}

export type ChatAct = { readonly type: 'pause' } | { readonly type: 'kill'; readonly level: 1 | 2 | 3 };

export interface ChatDecision {
  readonly state: ChatCommandsState;
  /** Undefined: say nothing at all, also not that somebody is listening. */
  readonly reply?: string;
  readonly act?: ChatAct;
  /** Why nothing is said. */
  readonly ignored?: 'stranger' | 'not private' | 'too many';
}

const MINUTE_MS = 60_000;
const PER_MINUTE = 10;
const CONFIRM_MS = 60_000;

const HELP = [
  '/status: what the engine is doing',
  '/pause: manage what is open, open nothing new',
  '/kill 1, 2 or 3: reduce only; no entries and open ones cancelled; close all pairs',
  'Anything else needs the host.',
].join('\n');

/** Decides one message. `drawCode` gives the code a kill is confirmed with. */
export function decideChat(
  before: ChatCommandsState,
  message: ChatMessage,
  facts: ChatFacts,
  options: { readonly userIds: readonly string[]; readonly drawCode: () => string },
): ChatDecision {
  const { userId, atMs } = message;
  if (!options.userIds.includes(userId)) return { state: before, ignored: 'stranger' };
  if (!message.isPrivate) return { state: before, ignored: 'not private' };
  const earlier = (before.takenAtMs.get(userId) ?? []).filter((takenAtMs) => atMs - takenAtMs < MINUTE_MS);
  if (earlier.length >= PER_MINUTE) return { state: before, ignored: 'too many' };
  const state = { ...before, takenAtMs: new Map(before.takenAtMs).set(userId, [...earlier, atMs]) };
  const [command = '', argument = '', ...rest] = message.text.trim().toLowerCase().split(/\s+/);
  if (rest.length > 0) return { state, reply: HELP };
  switch (command) {
    case '/status':
      return { state, reply: statusText(facts) };
    case '/pause':
      return pause(state, facts);
    case '/kill':
      return askKill(state, message, argument, options.drawCode);
    case '/confirm':
      return confirmKill(state, message, argument);
    default:
      return { state, reply: HELP };
  }
}

/** Never raises: what is lower than managing stays as it is. */
function pause(state: ChatCommandsState, { state: engine }: ChatFacts): ChatDecision {
  if (engine !== 'TRADING' && engine !== 'unknown')
    return { state, reply: `Nothing to pause: the engine is ${engine}.` };
  return { state, act: { type: 'pause' }, reply: 'Pausing: what is open is managed, nothing new is opened.' };
}

function askKill(
  state: ChatCommandsState,
  { userId, atMs }: ChatMessage,
  argument: string,
  drawCode: () => string,
): ChatDecision {
  const level = ([1, 2, 3] as const).find((one) => String(one) === argument);
  if (level === undefined) return { state, reply: HELP };
  const code = drawCode();
  const pending = new Map(state.pending).set(userId, { level, code, untilMs: atMs + CONFIRM_MS });
  return { state: { ...state, pending }, reply: `Kill ${level}: to confirm, answer /confirm ${code} within a minute.` };
}

function confirmKill(state: ChatCommandsState, { userId, atMs }: ChatMessage, argument: string): ChatDecision {
  const asked = state.pending.get(userId);
  // One attempt: right or wrong, the code is used up.
  const pending = new Map(state.pending);
  pending.delete(userId);
  const after = { ...state, pending };
  if (asked === undefined || atMs > asked.untilMs) return { state: after, reply: 'Nothing waits to be confirmed.' };
  if (argument !== asked.code) return { state: after, reply: 'That was not the code; ask again.' };
  return {
    state: after,
    act: { type: 'kill', level: asked.level },
    reply: `Kill ${asked.level} is under way. Only the host can lift it.`,
  };
}

function statusText(facts: ChatFacts): string {
  const { state, reason, openPairs, netResultQuote, venuesReady, venues, alertsActive } = facts;
  return [
    `Engine ${state}${reason === '' ? '' : `: ${reason}`}`,
    `${openPairs} open pairs, result ${netResultQuote.toFixed(2)}`,
    `${venuesReady} of ${venues} venues ready, ${alertsActive} active alerts`,
  ].join('\n');
}
