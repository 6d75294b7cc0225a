/** All message types of a system with their delivery and number: the one meaning every thread must share. Any thread. */
import type { Delivery, MessageShape } from './actor.ts';
import { hashText } from './random.ts';

/** Service levels of a mailbox, best first. State messages share the level of normal ones, market comes last. */
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
}

const FIRST_USER_ID = 16;

/** Types every system has. `actor-down` is the runtime's to send, whatever priority a watcher's table gives it. */
const BUILT_IN: Readonly<Record<string, Delivery>> = {
  'actor-down': { class: 'must-deliver', priority: 'risk' },
  'ask-replied': { class: 'must-deliver', priority: 'normal' },
  'supervisor-request': { class: 'must-deliver', priority: 'risk' },
};

/** A delivery table whose message types are not known to the compiler. */
export type DeliveryByType = Readonly<Record<string, Delivery>>;

/** The merged table. Throws when two tables give one type two meanings. */
export class MessageTypes {
  readonly #byName = new Map<string, MessageType>();
  readonly #byId: (MessageType | undefined)[] = [];
  /** Canonical text of the table: threads compare its hash when they attach. */
  readonly merged: DeliveryByType;
  readonly hash: number;

  constructor(tables: readonly DeliveryByType[]) {
    const merged = mergeTables(tables);
    this.merged = Object.fromEntries(merged);
    const names = [...merged.keys()].sort();
    let text = '';
    for (const [index, name] of names.entries()) {
      const delivery = merged.get(name);
      if (delivery === undefined) continue;
      const type = messageType(name, FIRST_USER_ID + index, delivery);
      this.#byName.set(name, type);
      this.#byId[type.id] = type;
      text += `${type.id} ${name} ${meaning(delivery)}\n`;
    }
    this.hash = hashText(text);
  }

  byName(name: string): MessageType | undefined {
    return this.#byName.get(name);
  }

  byId(id: number): MessageType | undefined {
    return this.#byId[id];
  }

  /** Throws unless every type of these tables has the same meaning here. */
  assertContains(tables: readonly DeliveryByType[]): void {
    for (const [name, delivery] of mergeTables(tables)) {
      const known = this.merged[name];
      if (known === undefined || meaning(known) !== meaning(delivery)) {
        throw new Error(
          `message type "${name}" must mean the same on every thread, was ${meaning(delivery)} against ${known === undefined ? 'nothing' : meaning(known)}`,
        );
      }
    }
  }
}

function mergeTables(tables: readonly DeliveryByType[]): Map<string, Delivery> {
  const merged = new Map<string, Delivery>(Object.entries(BUILT_IN));
  for (const table of tables) {
    for (const [name, delivery] of Object.entries(table)) {
      if (Object.hasOwn(BUILT_IN, name)) continue;
      const known = merged.get(name);
      if (known !== undefined && meaning(known) !== meaning(delivery)) {
        throw new Error(
          `message type "${name}" must have one delivery in all tables, was ${meaning(known)} and ${meaning(delivery)}`,
        );
      }
      merged.set(name, delivery);
    }
  }
  return merged;
}

function meaning(delivery: Delivery): string {
  return delivery.class === 'must-deliver'
    ? `must-deliver at ${delivery.priority}`
    : `${delivery.class} by (${delivery.keyFields.join(', ')})`;
}

function messageType(name: string, id: number, delivery: Delivery): MessageType {
  switch (delivery.class) {
    case 'must-deliver':
      return { name, id, class: 'must-deliver', level: LEVEL[delivery.priority], keyOf: () => name };
    case 'state':
      return { name, id, class: 'state', level: LEVEL.normal, keyOf: keyFunction(name, delivery.keyFields) };
    case 'market':
      return { name, id, class: 'market', level: LEVEL.market, keyOf: keyFunction(name, delivery.keyFields) };
  }
}

function keyFunction(name: string, keyFields: readonly string[]): (message: MessageShape) => string {
  return (message) => {
    // Message types declare their own fields; the table was checked by the compiler against the union, not per field.
    const fields = message as unknown as Readonly<Record<string, unknown>>;
    let key = name;
    for (const field of keyFields) key += `\u0000${String(fields[field])}`;
    return key;
  };
}
