/** Which bucket a value belongs to, for distributions that are kept in memory others read: as HDR histograms do it. Pure. */

/** The unit of the buckets: a power of two close to a quarter of a thousandth. */
const UNITS_PER_ONE = 4_096;
const UNITS_MAX = 2 ** 31 - 1;
/** The largest value told apart. */
export const LARGEST = UNITS_MAX / UNITS_PER_ONE;
/** Each power of two is cut into 32: a bucket is at most 1/32 wide of what it holds. */
const CUT_BITS = 5;
const CUTS = 1 << CUT_BITS;

/** One bucket per unit up to 32, then 32 per power of two. */
export const BUCKET_COUNT = CUTS + (31 - CUT_BITS) * CUTS;

/** Returns the bucket of a value; what is below or above all buckets belongs to the first or last one. */
export function bucketOf(value: number): number {
  const scaled = value * UNITS_PER_ONE;
  const units = scaled < UNITS_MAX ? scaled | 0 : UNITS_MAX;
  if (units < CUTS) return units < 0 ? 0 : units;
  const exponent = 31 - Math.clz32(units);
  return ((exponent - CUT_BITS) << CUT_BITS) + (units >>> (exponent - CUT_BITS));
}

/** Returns the smallest value above all those of a bucket. */
export function bucketUpperEdge(bucket: number): number {
  if (bucket < CUTS) return (bucket + 1) / UNITS_PER_ONE;
  const shift = (bucket >> CUT_BITS) - 1;
  return (((bucket & (CUTS - 1)) + CUTS + 1) * 2 ** shift) / UNITS_PER_ONE;
}
