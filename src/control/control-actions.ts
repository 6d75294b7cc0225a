/** Reads what an operator asks for out of a request's JSON, and names the message that does it. Pure, main thread. */
import type { GuardMessage } from '../../actors/guard-messages.ts';
import type { AdoptedLeg, PositionMessage } from '../../actors/position-messages.ts';

/** A body that breaks a rule; the message says which. */
export class BadRequest extends Error {
  constructor(what: string, rule: string, value: unknown) {
    super(`${what} must be ${rule}, was ${JSON.stringify(value) ?? 'missing'}`);
    this.name = 'BadRequest';
  }
}

const REASON_CHARACTERS_MAX = 200;
const NAME_CHARACTERS_MAX = 80;
const ENGINE_STATES = ['STOPPED', 'ARMED', 'TRADING', 'REDUCE_ONLY', 'HALTED'] as const;

/** `{"state": "ARMED", "reason": "..."}`. Throws BadRequest. */
export function engineStateMessage(body: unknown): GuardMessage {
  const fields = fieldsOf(body, ['state', 'reason']);
  const state = ENGINE_STATES.find((known) => known === fields.state);
  if (state === undefined) throw new BadRequest('state', `one of ${ENGINE_STATES.join(', ')}`, fields.state);
  return { type: 'set-engine-state', state, reason: readReason(fields.reason) };
}

/** `{"level": 3, "reason": "..."}`. Throws BadRequest. */
export function killMessage(body: unknown): GuardMessage {
  const fields = fieldsOf(body, ['level', 'reason']);
  const level = ([1, 2, 3, 4] as const).find((known) => known === fields.level);
  if (level === undefined) {
    const levels = '1 (reduce only), 2 (cancel entries), 3 (flatten) or 4 (cancel everything at the venues and end)';
    throw new BadRequest('level', levels, fields.level);
  }
  return { type: 'kill', level, reason: readReason(fields.reason) };
}

/** Closes the pair of one symbol; the body is `{}`. Throws BadRequest. */
export function exitMessage(body: unknown): PositionMessage {
  fieldsOf(body, []);
  return { type: 'exit-pair', reason: 'MANUAL' };
}

/** Lets a symbol be entered again after a venue took lots of a leg: `{"reason": "..."}`. Throws BadRequest. */
export function clearMessage(body: unknown): PositionMessage {
  const fields = fieldsOf(body, ['reason']);
  return { type: 'clear-entry-blocks', reason: readReason(fields.reason) };
}

/** Makes one pair of what two accounts hold: `{"long": {"venue", "account", "lots"}, "short": {...}, "reason": "..."}`. Throws BadRequest. */
export function adoptMessage(body: unknown): PositionMessage {
  const fields = fieldsOf(body, ['long', 'short', 'reason']);
  return {
    type: 'adopt-position',
    long: readLeg('long', fields.long),
    short: readLeg('short', fields.short),
    reason: readReason(fields.reason),
  };
}

/** What a simulated venue is to do wrong: `{"venue": "lighter", "fault": "drop-sockets"}`. Throws BadRequest. */
export function faultOf(body: unknown): { readonly venue: string; readonly fault: string } {
  const { venue, fault } = fieldsOf(body, ['venue', 'fault']);
  return { venue: readName('venue', venue), fault: readName('fault', fault) };
}

/** An action that needs no words; the body is `{}`. Throws BadRequest. */
export function checkEmpty(body: unknown): void {
  fieldsOf(body, []);
}

function fieldsOf(body: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new BadRequest('body', 'a JSON object', body);
  const unknown = Object.keys(body).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new BadRequest('key', known.length === 0 ? 'absent' : `one of ${known.join(', ')}`, unknown.slice(0, 80));
  }
  return Object.fromEntries(Object.entries(body));
}

/** The lots are unsigned: which way they go is the leg's name. */
function readLeg(name: 'long' | 'short', value: unknown): AdoptedLeg {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject) throw new BadRequest(name, 'an object of venue, account and lots', value);
  const { venue, account, lots } = fieldsOf(value, ['venue', 'account', 'lots']);
  return {
    venue: readName(`${name}.venue`, venue),
    account: readName(`${name}.account`, account),
    lots: readLots(name, lots),
  };
}

function readName(what: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.length > NAME_CHARACTERS_MAX)
    throw new BadRequest(what, `text of 1 to ${NAME_CHARACTERS_MAX} characters`, value);
  return value;
}

function readLots(leg: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1)
    throw new BadRequest(`${leg}.lots`, 'a whole number of at least 1', value);
  return value;
}

function readReason(value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '' || value.length > REASON_CHARACTERS_MAX) {
    throw new BadRequest('reason', `text of 1 to ${REASON_CHARACTERS_MAX} characters`, value);
  }
  return value.trim();
}
