/** What the simulated Lighter venue says when it refuses: codes with the venue's own words. Data; any thread. */

export interface Refusal {
  readonly code: number;
  readonly message: string;
}

const MESSAGES: ReadonlyMap<number, string> = new Map([
  [20001, 'invalid param'],
  [20013, 'invalid auth'],
  [21100, 'account not found'],
  [21104, 'invalid nonce'],
  [21105, 'batch transaction nonce is not increasing'],
  [21109, 'api key not found'],
  [21113, 'invalid initial margin fraction'],
  [21120, 'invalid signature'],
  [21121, 'all transactions in the batch must have use same account and apikey'],
  [21149, 'integrator not approved'],
  [21500, 'transaction not found'],
  [21501, 'invalid tx info'],
  [21505, 'unsupported tx type'],
  [21513, 'TxInfos and TxTypes should have the same length'],
  [21514, 'maximum 50 transactions allowed per batch'],
  [21600, 'given order is not an active limit order'],
  [21602, 'invalid market index'],
  [21605, 'invalid market status'],
  [21613, 'invalid margin mode'],
  [21701, 'invalid base amount'],
  [21702, 'invalid price'],
  [21703, 'invalid isAsk'],
  [21705, 'invalid OrderTimeInForce'],
  [21706, 'invalid order base or quote amount'],
  [21710, 'unsupported order type'],
  [21711, 'invalid expiry'],
  [21713, 'invalid cancel all time in force'],
  [21714, 'invalid cancel all time'],
  [21717, 'maximum active limit order count reached'],
  [21718, 'maximum active limit order count per market reached'],
  [21727, 'invalid client order index'],
  [21728, 'client order index already exists'],
  [21729, 'invalid order trigger price'],
  [21732, 'reduce only increases position'],
  [21734, 'limit order price is too far from the mark price'],
  [21739, 'not enough margin to create the order'],
  [21740, 'invalid reduce only mode'],
  [22402, 'invalid resolution: resolution unsupported'],
  [23000, 'Too Many Requests!'],
  [23001, 'Too Many Subscriptions!'],
  [23003, 'Too Many Connections!'],
  [29404, 'not found'],
  [30000, 'Invalid Json'],
  [30001, 'Invalid Type'],
  [30002, 'Not Subscribed to '],
  [30003, 'Already Subscribed to '],
  [30005, 'Invalid Channel'],
  [30006, "Operation isn't supported "],
  [30007, 'Invalid Data'],
  [30009, 'Too Many Websocket Messages!'],
  [30010, 'Too Many Inflight Messages!'],
]);

/** The refusal with a code; `detail` is appended to the venue's words. */
export function refusal(code: number, detail?: string): Refusal {
  const message = MESSAGES.get(code) ?? `refused with ${code}`;
  return { code, message: detail === undefined ? message : `${message}: ${detail}` };
}

export function isRefusal(value: object): value is Refusal {
  return 'code' in value && 'message' in value;
}
