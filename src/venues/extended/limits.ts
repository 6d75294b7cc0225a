/** Extended's request limits, and what each of its error codes means for us. Pure; any thread. */
import type { AccessProblem } from '../access.ts';
import type { LimitProfile, RefusalClass } from '../venue.ts';

/** Everybody's limit: 1,000 requests a minute per IP address, all endpoints together. Two accounts behind one address share it. */
export const PUBLIC_LIMITS: LimitProfile = {
  rest: { name: 'extended-rest', max: 1_000, windowMs: 60_000, per: 'address' },
};
/** Granted to market makers. */
export const MARKET_MAKER_LIMITS: LimitProfile = {
  rest: { name: 'extended-rest', max: 60_000, windowMs: 300_000, per: 'address' },
};

/** Returns the limits named by the option `limitProfile`: `public` (default) or `market-maker`. */
export function limitsOf(profile: string | number | boolean | undefined): LimitProfile {
  if (profile === undefined || profile === 'public') return PUBLIC_LIMITS;
  if (profile === 'market-maker') return MARKET_MAKER_LIMITS;
  throw new RangeError(`extended limitProfile must be public or market-maker, was ${String(profile)}`);
}

const CLASS_BY_CODE: ReadonlyMap<number, RefusalClass> = new Map<number, RefusalClass>([
  [1000, 'permanent'], // asset not found
  [1001, 'permanent'], // market not found
  [1002, 'state'], // market disabled
  [1004, 'fatal'], // account not found: wrong key
  [1005, 'permanent'], // candle interval
  [1009, 'permanent'], // not allowed
  // Application error and maintenance do not say what happened to the request.
  [1006, 'unknown-outcome'],
  [1010, 'unknown-outcome'],
  [1011, 'state'], // post-only mode
  [1012, 'state'], // reduce-only mode
  [1014, 'state'], // market reduce-only
  [1049, 'permanent'], // leverage too small
  [1050, 'permanent'], // leverage too large
  [10501, 'state'], // leverage against position value
  [1052, 'state'], // leverage: not enough margin
  [1053, 'permanent'], // leverage precision
  // On every order these mean a wrong key, vault, chain or rounding: nothing will work until a person looks.
  [1100, 'fatal'],
  [1101, 'fatal'],
  [1102, 'fatal'],
  [1120, 'permanent'], // below the minimum size
  [1121, 'permanent'], // size step
  [1122, 'permanent'], // order value
  [1123, 'permanent'], // size precision
  [1124, 'permanent'], // price step
  [1125, 'permanent'], // price precision
  [1126, 'state'], // too many open orders
  [1127, 'state'], // position value
  [1128, 'state'], // fee below the account's rate: the tier changed
  [1129, 'permanent'], // take profit or stop loss
  [1130, 'permanent'], // price missing
  [1131, 'permanent'], // take profit or stop loss
  [1132, 'permanent'], // order type
  [1133, 'permanent'], // parameters
  [1134, 'duplicate'],
  [1135, 'permanent'], // expiry
  [1136, 'state'], // reduce-only: larger than the position
  [1137, 'state'], // reduce-only: no position
  [1138, 'state'], // reduce-only: same side
  [1139, 'permanent'], // market orders must be IOC
  [1140, 'state'], // cost exceeds the balance: size down
  [1141, 'state'], // price outside the band around mark
  [1142, 'state'], // order to edit not found
  [1143, 'permanent'],
  [1144, 'permanent'], // conditional orders
  [1145, 'state'], // only reduce-only
  [1146, 'permanent'], // TWAP
  [1147, 'state'],
  [1148, 'state'], // open loss exceeds equity
]);

/** Returns what a refusal says about our access. */
export function accessProblemOf(code: string): AccessProblem | undefined {
  if (code === '401' || code === 'HTTP_401') return 'wrong-key';
  if (code === '1004') return 'wrong-account';
  // Signature, StarkEx key or vault that do not belong together.
  return code === '1100' || code === '1101' || code === '1102' ? 'wrong-key' : undefined;
}

/** Returns what a refusal means. The HTTP status decides where it says more than the code; an unknown code proves nothing. */
export function refusalClassOf(status: number, code: number | undefined): RefusalClass {
  if (status === 429) return 'rate-limit';
  if (status === 401 || status === 403) return 'fatal';
  const known = code === undefined ? undefined : CLASS_BY_CODE.get(code);
  if (known !== undefined) return known;
  if (status === 404) return 'state';
  if (status === 422) return 'permanent';
  return 'unknown-outcome';
}
