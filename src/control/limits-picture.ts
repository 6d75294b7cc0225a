/** The answer to "how close are we to the venues' limits?", from what the connectors show. Pure, main thread. */
import type { LimitsPicture } from '../../actors/connector/limits-picture.ts';

export interface AccountLimits extends LimitsPicture {
  /** For example `lighter:main`. */
  readonly account: string;
}

const PREFIX = 'connector/';

export function isConnector(path: string): boolean {
  return path.startsWith(PREFIX);
}

/** Returns the account of a connector's path, for example `lighter:main`. */
export function accountOf(path: string): string {
  return path.slice(PREFIX.length);
}

/** Returns the limits of every connector that answered, in the order of their names. */
export function limitsOfConnectors(
  answers: readonly { readonly path: string; readonly digest: unknown }[],
): readonly AccountLimits[] {
  return answers
    .flatMap(({ path, digest }) => {
      // A connector's digest as it makes it; inspection answers with plain data of unknown type.
      const picture = (digest as { readonly limits?: LimitsPicture } | undefined)?.limits;
      return picture === undefined ? [] : [{ account: accountOf(path), ...picture }];
    })
    .toSorted((one, other) => (one.account < other.account ? -1 : 1));
}
