/** What a position actor shows of lots that no pair explains, and of the newest adoption. Pure, main thread. */

/** What `GET /debug/adoption/BTC` answers. */
export interface AdoptionPicture {
  readonly external: readonly Holding[];
  /** Adoptions asked for in this life of the actor, and what became of the newest; 0 and empty before the first. */
  readonly asked: number;
  readonly outcome: string;
  /** The pair, or the rule that refused it. */
  readonly detail: string;
}

/** What one account holds, signed: lots of its instrument, and the same in contracts. */
export interface Holding {
  readonly venue: string;
  readonly account: string;
  readonly lots: number;
  readonly quantity: number;
}

/** Returns the picture, or undefined when the digest is no position actor's. */
export function adoptionPicture(digest: unknown): AdoptionPicture | undefined {
  if (!isRecord(digest) || !Array.isArray(digest['venues'])) return undefined;
  const adoption = isRecord(digest['adoption']) ? digest['adoption'] : {};
  return {
    external: digest['venues'].flatMap(holdingOf),
    asked: Number(adoption['asked'] ?? 0),
    outcome: String(adoption['outcome'] ?? ''),
    detail: String(adoption['detail'] ?? ''),
  };
}

function holdingOf(track: unknown): readonly Holding[] {
  if (!isRecord(track) || track['external'] !== true) return [];
  const { venue, account, reportedLots, reportedQuantity } = track;
  if (typeof reportedLots !== 'number' || typeof reportedQuantity !== 'number') return [];
  return [{ venue: String(venue), account: String(account), lots: reportedLots, quantity: reportedQuantity }];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
