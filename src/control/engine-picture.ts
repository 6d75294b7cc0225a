/** The state of the engine and of its pairs in a few words each, from what guard and observer show. Pure, main thread. */

/** What `GET /debug/engine` answers. */
export interface EnginePicture {
  readonly state: string;
  readonly reason: string;
  /** Everything is being closed. */
  readonly flatten: boolean;
  /** Every symbol the engine trades. */
  readonly pairs: readonly { readonly base: string; readonly phase: string }[];
}

/** Returns the picture, or undefined when one of the two digests is missing or not what it should be. */
export function enginePicture(guard: unknown, observer: unknown): EnginePicture | undefined {
  if (!isRecord(guard) || !isRecord(observer) || !Array.isArray(observer['pairs'])) return undefined;
  const { state, reason, flatten } = guard;
  if (typeof state !== 'string' || typeof reason !== 'string') return undefined;
  const pairs = observer['pairs'].flatMap((pair: unknown) =>
    isRecord(pair) ? [{ base: String(pair['base']), phase: String(pair['phase']) }] : [],
  );
  return { state, reason, flatten: flatten === true, pairs };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
