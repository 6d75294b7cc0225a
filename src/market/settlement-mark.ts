/**
 * What the mark was when a settlement passed. Venues say what they settled seconds or minutes later, and pay by the mark of the hour:
 * a price that moved half a percent meanwhile would make a correct payment look wrong. Pure, immutable values, any thread.
 */

const HOUR_MS = 3_600_000;
/** A mark further than this from the hour says little about it, calendar ms. */
const NEAR_MS = 300_000;

interface HourMark {
  /** The whole hour, calendar ms: all venues settle on one. */
  readonly hourMs: number;
  /** How far from it the mark was told, calendar ms. */
  readonly apartMs: number;
  readonly markNano: bigint;
}

/** The marks nearest to the two latest hours, newest first. */
export type SettlementMarks = readonly HourMark[];

/** Takes a mark into account. `venueAtMs`: when the venue says it was, calendar ms. O(1). */
export function noteMark(marks: SettlementMarks, markNano: bigint, venueAtMs: number): SettlementMarks {
  const hourMs = Math.round(venueAtMs / HOUR_MS) * HOUR_MS;
  const apartMs = Math.abs(venueAtMs - hourMs);
  if (apartMs > NEAR_MS) return marks;
  const [newest, older] = marks;
  if (newest === undefined || hourMs > newest.hourMs) {
    const mark = { hourMs, apartMs, markNano };
    return newest === undefined ? [mark] : [mark, newest];
  }
  if (hourMs < newest.hourMs || apartMs >= newest.apartMs) return marks;
  const nearer = { hourMs, apartMs, markNano };
  return older === undefined ? [nearer] : [nearer, older];
}

/** Returns the mark told nearest to this settlement, 1e-9 quote; undefined when none was told near it. */
export function markAt(marks: SettlementMarks, settleAtMs: number): bigint | undefined {
  return marks.find(({ hourMs }) => hourMs === settleAtMs)?.markNano;
}
