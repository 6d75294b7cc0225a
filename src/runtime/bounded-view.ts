/** Makes a small copy of any message for people to look at, whatever its size. Pure, any thread. */

const DEPTH_MAX = 6;
const MEMBERS_MAX = 32;
const NODES_MAX = 256;
const TEXT_CHARACTERS_MAX = 512;

/**
 * Returns plain data with at most 256 values in it: long texts, deep objects and further members are replaced by a word on
 * what is missing. A text is shown whole or not at all: half of a secret could not be recognised by whoever takes secrets out.
 */
export function boundedView(value: unknown): unknown {
  return view(value, 0, { left: NODES_MAX });
}

function view(value: unknown, depth: number, nodes: { left: number }): unknown {
  nodes.left -= 1;
  if (nodes.left < 0) return '[more]';
  if (typeof value === 'string') return value.length <= TEXT_CHARACTERS_MAX ? value : `[${value.length} characters]`;
  if (typeof value !== 'object' || value === null)
    return typeof value === 'function' || typeof value === 'symbol' ? `[${typeof value}]` : value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= DEPTH_MAX) return '[deeper]';
  if (Array.isArray(value)) return membersOf(value, depth, nodes);
  if (value instanceof Map) return membersOf([...value.entries()], depth, nodes);
  if (value instanceof Set) return membersOf([...value], depth, nodes);
  const entries = Object.entries(value);
  const shown = entries.slice(0, MEMBERS_MAX).map(([name, member]) => [name, view(member, depth + 1, nodes)] as const);
  if (entries.length > MEMBERS_MAX) shown.push(['[more]', entries.length - MEMBERS_MAX]);
  return Object.fromEntries(shown);
}

function membersOf(members: readonly unknown[], depth: number, nodes: { left: number }): readonly unknown[] {
  const shown = members.slice(0, MEMBERS_MAX).map((member) => view(member, depth + 1, nodes));
  if (members.length > MEMBERS_MAX) shown.push(`[${members.length - MEMBERS_MAX} more]`);
  return shown;
}
