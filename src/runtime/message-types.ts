/** All message types of a system with their delivery and number: the one meaning every thread must share. Any thread. */
import type { MessageShape, ShapedDelivery } from './actor.ts';
import { MessageTemplate, type Outline } from './message-template.ts';
import { hashText } from './random.ts';

/** Service levels of a mailbox, best first. State messages share the level of normal ones unless their table says otherwise, market comes last. */
export const LEVEL = { system: 0, risk: 1, order: 2, normal: 3, market: 4 } as const;
/** A service level: 0 is served first. */
export type Level = (typeof LEVEL)[keyof typeof LEVEL];

/** How a message may be treated on its way; see Delivery in actor.ts. */
export type DeliveryClass = 'must-deliver' | 'state' | 'market';

/** One message type as all threads of a system know it. */
export interface MessageType {
  readonly name: string;
  /** Its number on the rings; below 16 are the runtime's own records. */
  readonly id: number;
  readonly class: DeliveryClass;
  readonly level: Level;
  /** Returns the conflation key of a message; constant for must-deliver types. */
  readonly keyOf: (message: MessageShape) => string;
  /** Encodes its messages where this thread knows their shape. */
  readonly template: MessageTemplate | undefined;
  /** Tells what the values of its shaped messages are, also where the shape is not known. */
  readonly outline: Outline | undefined;
  /** Its messages' keys in order, shared beforehand; undefined when unknown. */
  readonly keys: readonly string[] | undefined;
}

/** What a delivery table says of one type, as it can be handed to another thread: fingerprint and outline instead of the shape. */
export type TypeMeaning = ShapedDelivery<MessageShape> & { readonly fingerprint?: string; readonly outline?: Outline };

const FIRST_USER_ID = 16;

/** Types every system has. `actor-down` is the runtime's to send, whatever priority a watcher's table gives it. */
const BUILT_IN: DeliveryByType = {
  'actor-down': { class: 'must-deliver', priority: 'risk' },
  'ask-replied': { class: 'must-deliver', priority: 'normal' },
  'supervisor-request': { class: 'must-deliver', priority: 'risk' },
};

/** A delivery table whose message types are not known to the compiler. */
export type DeliveryByType = Readonly<Record<string, TypeMeaning>>;

/** The merged table. Throws when two tables give one type two meanings. */
export class MessageTypes {
  readonly #byName = new Map<string, MessageType>();
  readonly #byId: (MessageType | undefined)[] = [];
  /** Canonical table, plain data for other threads. */
  readonly merged: DeliveryByType;
  /** Threads compare it when they attach: with equal hashes, equal bytes mean equal messages. */
  readonly hash: number;

  constructor(tables: readonly DeliveryByType[]) {
    const merged = mergeTables(tables);
    this.merged = Object.fromEntries([...merged].map(([name, known]) => [name, plain(known)]));
    const names = [...merged.keys()].sort();
    let text = '';
    for (const [index, name] of names.entries()) {
      const known = merged.get(name);
      if (known === undefined) continue;
      const type = messageType(name, FIRST_USER_ID + index, known);
      this.#byName.set(name, type);
      this.#byId[type.id] = type;
      text += `${type.id} ${name} ${meaning(known)}\n`;
    }
    this.hash = hashText(text);
  }

  byName(name: string): MessageType | undefined {
    return this.#byName.get(name);
  }

  byId(id: number): MessageType | undefined {
    return this.#byId[id];
  }

  /** Returns all types in the order of their numbers. */
  all(): readonly MessageType[] {
    return this.#byId.filter((type) => type !== undefined);
  }

  /** Throws unless every type of these tables has the same meaning here. */
  assertContains(tables: readonly DeliveryByType[]): void {
    for (const [name, known] of mergeTables(tables)) {
      const here = this.merged[name];
      if (here === undefined || meaning({ delivery: here, template: undefined }) !== meaning(known)) {
        throw new Error(
          `message type "${name}" must mean the same on every thread, was ${meaning(known)} against ${here === undefined ? 'nothing' : meaning({ delivery: here, template: undefined })}`,
        );
      }
    }
  }
}

/** A type's delivery with its shape made ready, where the table has the shape itself. */
interface Known {
  readonly delivery: TypeMeaning;
  readonly template: MessageTemplate | undefined;
}

function mergeTables(tables: readonly DeliveryByType[]): Map<string, Known> {
  const merged = new Map<string, Known>();
  for (const [name, delivery] of Object.entries(BUILT_IN)) merged.set(name, { delivery, template: undefined });
  for (const table of tables) {
    for (const [name, delivery] of Object.entries(table)) {
      if (Object.hasOwn(BUILT_IN, name)) continue;
      const known = merged.get(name);
      // The shape is run, not compared: two tables may well hold two functions that mean the same.
      const one = { delivery, template: delivery.shape && new MessageTemplate(name, delivery.shape) };
      if (known !== undefined && meaning(known) !== meaning(one)) {
        throw new Error(
          `message type "${name}" must have one delivery in all tables, was ${meaning(known)} and ${meaning(one)}`,
        );
      }
      if (known?.template === undefined) merged.set(name, one);
    }
  }
  return merged;
}

function plain({ delivery, template }: Known): TypeMeaning {
  const { shape: _shape, ...rest } = delivery;
  return template === undefined ? rest : { ...rest, fingerprint: template.fingerprint, outline: template.outline };
}

function meaning({ delivery, template }: Known): string {
  const words =
    delivery.class === 'must-deliver'
      ? `must-deliver at ${delivery.priority}`
      : `${delivery.class} by (${delivery.keyFields.join(', ')})${atPriority(delivery)}`;
  const shape = template?.fingerprint ?? delivery.fingerprint;
  if (shape !== undefined) return `${words} shaped ${shape}`;
  return delivery.keys === undefined ? words : `${words} with keys (${delivery.keys.join(', ')})`;
}

function atPriority(delivery: TypeMeaning): string {
  return delivery.class === 'state' && delivery.priority !== undefined ? ` at ${delivery.priority}` : '';
}

function messageType(name: string, id: number, { delivery, template }: Known): MessageType {
  const common = { name, id, template, outline: template?.outline ?? delivery.outline, keys: delivery.keys };
  switch (delivery.class) {
    case 'must-deliver':
      return { ...common, class: 'must-deliver', level: LEVEL[delivery.priority], keyOf: () => name };
    case 'state':
      return {
        ...{ ...common, class: 'state', level: LEVEL[delivery.priority ?? 'normal'] },
        keyOf: keyFunction(name, delivery.keyFields),
      };
    case 'market':
      return { ...common, class: 'market', level: LEVEL.market, keyOf: keyFunction(name, delivery.keyFields) };
  }
}

/** Keys remembered per type; there are as many as symbols. */
const KEYS_KEPT = 4_096;

function keyFunction(name: string, keyFields: readonly string[]): (message: MessageShape) => string {
  const [first = '', second] = keyFields;
  if (keyFields.length === 0) return () => name;
  if (keyFields.length > 2) return (message) => keyOf(name, keyFields, message);
  // The same text again, not an equal one: putting it together and hashing it anew costs more than finding it.
  let known = new Map<unknown, Map<unknown, string>>();
  let kept = 0;
  // The first field is the venue more often than not, and the next message of the same one.
  let lastLeft: unknown;
  let ofLastLeft: Map<unknown, string> | undefined;
  return (message) => {
    const fields = fieldsOf(message);
    const left = fields[first];
    const right = second === undefined ? undefined : fields[second];
    if (ofLastLeft === undefined || left !== lastLeft) {
      lastLeft = left;
      ofLastLeft = known.get(left);
    }
    const found = ofLastLeft?.get(right);
    if (found !== undefined) return found;
    if (kept >= KEYS_KEPT) {
      known = new Map();
      kept = 0;
      ofLastLeft = undefined;
    }
    kept += 1;
    const key = keyOf(name, keyFields, message);
    if (ofLastLeft === undefined) known.set(left, (ofLastLeft = new Map<unknown, string>()));
    ofLastLeft.set(right, key);
    return key;
  };
}

function keyOf(name: string, keyFields: readonly string[], message: MessageShape): string {
  let key = name;
  for (const field of keyFields) key += `\u0000${String(fieldsOf(message)[field])}`;
  return key;
}

/** Message types declare their own fields; the table was checked by the compiler against the union, not per field. */
function fieldsOf(message: MessageShape): Readonly<Record<string, unknown>> {
  return message as unknown as Readonly<Record<string, unknown>>;
}
