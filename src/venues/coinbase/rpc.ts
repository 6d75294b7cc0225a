/** Numbers of the calls on the gateway's account socket: they say by themselves what an answer is about. Pure; any thread. */

/** What a call is for: its number modulo the number of kinds. */
const KINDS = ['place', 'cancel', 'request', 'control'] as const;
export type CallKind = (typeof KINDS)[number];

/** A client order id has 48 bits: four kinds of call about it still are safe integers. */
export function callId(kind: CallKind, number: number | string): number {
  const id = Number(number) * KINDS.length + KINDS.indexOf(kind);
  if (!Number.isSafeInteger(id) || id < 0)
    throw new RangeError(`a call's number must be a safe integer, was ${number}`);
  return id;
}

export function kindOf(id: number): CallKind {
  return KINDS[id % KINDS.length] ?? 'control';
}
