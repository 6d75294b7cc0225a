/** Numbers for order reports of venues that give them only a time. Pure; any thread. */

/** Progress values of one order within one ms of the venue's clock. */
const STEPS = 1024;

/** Grows with every report of one order: by time, within a ms by what is filled, and its end comes last. */
export function reportSequence(report: {
  readonly venueAtMs: number;
  readonly lots: number;
  readonly filledLots: number;
  readonly isOpen: boolean;
}): number {
  const { venueAtMs, lots, filledLots, isOpen } = report;
  const progress = lots > 0 ? Math.floor(((STEPS - 2) * Math.min(filledLots, lots)) / lots) : 0;
  return venueAtMs * STEPS + (isOpen ? progress : STEPS - 1);
}
