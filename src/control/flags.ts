/** Which optimisations are on, from what the connectors show, and the message that switches one. Pure, main thread. */
import type { ConnectorMessage } from '../../actors/connector-messages.ts';
import type { FlagsPicture } from '../../actors/connector/flags.ts';
import { FLAG_NAMES } from '../venues/flags.ts';
import type { FlagName } from '../venues/flags.ts';
import { BadRequest } from './control-actions.ts';
import { accountOf } from './limits-picture.ts';

export interface FlagState {
  readonly name: FlagName;
  /** By account; each may be configured and switched by itself. */
  readonly accounts: Readonly<Record<string, { readonly isOn: boolean; readonly fellBack: number }>>;
}

export function flagStates(
  answers: readonly { readonly path: string; readonly digest: unknown }[],
): readonly FlagState[] {
  const pictures = answers.flatMap(({ path, digest }) => {
    // A connector's digest as it makes it; inspection answers with plain data of unknown type.
    const flags = (digest as { readonly flags?: FlagsPicture } | undefined)?.flags;
    return flags === undefined ? [] : [{ account: accountOf(path), flags }];
  });
  return FLAG_NAMES.map((name) => ({
    name,
    accounts: Object.fromEntries(pictures.map(({ account, flags }) => [account, flags[name]])),
  }));
}

/** `{"name": "coalescing", "isOn": false}`. Throws BadRequest. */
export function flagMessage(body: unknown): Extract<ConnectorMessage, { type: 'set-flag' }> {
  const fields = typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>) : {};
  const name = FLAG_NAMES.find((known) => known === fields['name']);
  if (name === undefined) throw new BadRequest('name', `one of ${FLAG_NAMES.join(', ')}`, fields['name']);
  const { isOn } = fields;
  if (typeof isOn !== 'boolean') throw new BadRequest('isOn', 'true or false', isOn);
  return { type: 'set-flag', name, isOn };
}
