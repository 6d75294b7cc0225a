/** Faults that are a hiccup once and a danger when they come again (domain 12.3). Pure functions, any thread. */

export type IncidentKind = 'journal-slow' | 'order-lost';

/** So many within this time, monotonic ms, take the engine down. */
export const INCIDENT_LIMITS: Readonly<Record<IncidentKind, { readonly max: number; readonly windowMs: number }>> = {
  'journal-slow': { max: 3, windowMs: 600_000 },
  'order-lost': { max: 2, windowMs: 3_600_000 },
};

/** When each kind happened last, as far back as its window. */
export type Incidents = Readonly<Partial<Record<IncidentKind, readonly number[]>>>;

/** Adds one; `isTooMany` once the limit of its kind is reached, and the count begins again then. */
export function addIncident(
  before: Incidents,
  kind: IncidentKind,
  nowMs: number,
): { readonly incidents: Incidents; readonly count: number; readonly isTooMany: boolean } {
  const { max, windowMs } = INCIDENT_LIMITS[kind];
  const times = [...(before[kind] ?? []).filter((atMs) => nowMs - atMs < windowMs), nowMs];
  const isTooMany = times.length >= max;
  return { incidents: { ...before, [kind]: isTooMany ? [] : times }, count: times.length, isTooMany };
}
