/** Faults that are a hiccup once and a danger when they come again (domain 12.3). Pure functions, any thread. */

export type IncidentKind = 'journal-slow' | 'order-lost' | 'actor-crashed';

export interface IncidentLimit {
  readonly max: number;
  readonly windowMs: number;
  /** What comes this soon after the last is part of it: one slow commit has many writers, one dead thread many actors. */
  readonly mergeMs: number;
}

/** So many within this time, monotonic ms, take the engine down. */
export const INCIDENT_LIMITS: Readonly<Record<IncidentKind, IncidentLimit>> = {
  'journal-slow': { max: 3, windowMs: 600_000, mergeMs: 250 },
  'order-lost': { max: 2, windowMs: 3_600_000, mergeMs: 0 },
  // One more than a supervisor restarts before it gives up: from there on it is not this pair's trouble alone.
  'actor-crashed': { max: 6, windowMs: 30_000, mergeMs: 50 },
};

/** When each kind happened last, as far back as its window. */
export type Incidents = Readonly<Partial<Record<IncidentKind, readonly number[]>>>;

/** Adds one; `isTooMany` once the limit of its kind is reached, and the count begins again then. */
export function addIncident(
  before: Incidents,
  kind: IncidentKind,
  nowMs: number,
): { readonly incidents: Incidents; readonly count: number; readonly isTooMany: boolean } {
  const { max, windowMs, mergeMs } = INCIDENT_LIMITS[kind];
  const recent = (before[kind] ?? []).filter((atMs) => nowMs - atMs < windowMs);
  const last = recent.at(-1);
  if (last !== undefined && nowMs - last < mergeMs)
    return { incidents: before, count: recent.length, isTooMany: false };
  const times = [...recent, nowMs];
  const isTooMany = times.length >= max;
  return { incidents: { ...before, [kind]: isTooMany ? [] : times }, count: times.length, isTooMany };
}
