/** JSON-RPC as the simulated gateway reads and writes it, and what each method costs. Pure; any thread. */
import { isFields, parseLosslessJson } from '../json.ts';
import { MalformedPayload } from '../venue.ts';
import type { Instant } from '../venue.ts';
import type { CallCost, RpcRefusal } from './simulated-access.ts';
import type { Answer } from './simulated-answers.ts';

export interface RpcRequest {
  readonly id: unknown;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

const PARSE_ERROR: RpcRefusal = { code: -32700, message: 'Parse error' };
const INVALID_REQUEST: RpcRefusal = { code: -32600, message: 'Invalid Request' };

/** One call; batches are none. */
export function rpcCallOf(text: string): RpcRequest | { readonly error: RpcRefusal; readonly id: unknown } {
  try {
    const call = parseLosslessJson(text, 'call');
    if (!isFields(call)) return { error: INVALID_REQUEST, id: null };
    const { id = null, method, params = {} } = call;
    if (call['jsonrpc'] !== '2.0' || typeof method !== 'string' || !isFields(params))
      return { error: INVALID_REQUEST, id };
    return { id, method, params };
  } catch (error) {
    if (!(error instanceof MalformedPayload)) throw error;
    return { error: PARSE_ERROR, id: null };
  }
}

export function rpcAnswerText(answer: Answer, id: unknown, at: Instant): string {
  const micros = Math.floor(at.calendarMs) * 1_000;
  const said = 'error' in answer ? { error: answer.error } : { result: answer.result };
  return JSON.stringify({ jsonrpc: '2.0', id, ...said, usIn: micros, usOut: micros, usDiff: 0, testnet: false });
}

const MATCHING = /^private\/(?:buy|sell|edit|cancel|close_position)/;

export function costOf(method: string): CallCost {
  if (method.endsWith('/subscribe')) return 'subscribe';
  if (method === 'private/get_transaction_log') return 'ledger';
  return MATCHING.test(method) ? 'matching' : 'call';
}
