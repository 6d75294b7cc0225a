/** A double-ended queue on a growing circular array: constant time at both ends. Any thread, one owner. */
/** Places of a queue that has seen an item. */
const FIRST_ITEMS = 16;

export class Deque<Item> {
  /** Empty until the first item: most queues of most idle actors never see one. Then a power of two long. */
  #items: (Item | undefined)[] = [];
  #head = 0;
  #length = 0;
  /** How many left at the front, less those put there: where the front is, counted from the first item ever. */
  #left = 0;

  get length(): number {
    return this.#length;
  }

  /** Returns where the next item pushed at the back will be: it keeps that position until it leaves. */
  get endPosition(): number {
    return (this.#left + this.#length) | 0;
  }

  /** Puts another item at a position that is taken. Throws a RangeError when none is there. */
  replace(position: number, item: Item): void {
    const index = (position - this.#left) | 0;
    if (index < 0 || index >= this.#length)
      throw new RangeError(`position must be from ${this.#left} to below ${this.endPosition}, was ${position}`);
    this.#items[(this.#head + index) & (this.#items.length - 1)] = item;
  }

  pushBack(item: Item): void {
    if (this.#length === this.#items.length) this.#grow();
    this.#items[(this.#head + this.#length) & (this.#items.length - 1)] = item;
    this.#length += 1;
  }

  pushFront(item: Item): void {
    if (this.#length === this.#items.length) this.#grow();
    this.#head = (this.#head - 1) & (this.#items.length - 1);
    this.#items[this.#head] = item;
    this.#length += 1;
    this.#left = (this.#left - 1) | 0;
  }

  front(): Item | undefined {
    return this.#length === 0 ? undefined : this.#items[this.#head];
  }

  /** Returns the item `index` places behind the front, or undefined. */
  at(index: number): Item | undefined {
    return index < 0 || index >= this.#length
      ? undefined
      : this.#items[(this.#head + index) & (this.#items.length - 1)];
  }

  popFront(): Item | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#items.length - 1);
    this.#length -= 1;
    this.#left = (this.#left + 1) | 0;
    return item;
  }

  /** Removes and returns everything, front first. */
  drain(): Item[] {
    const items: Item[] = [];
    for (let item = this.popFront(); item !== undefined; item = this.popFront()) items.push(item);
    return items;
  }

  #grow(): void {
    const items = new Array<Item | undefined>(Math.max(FIRST_ITEMS, this.#items.length * 2));
    for (let index = 0; index < this.#length; index++) {
      items[index] = this.#items[(this.#head + index) & (this.#items.length - 1)];
    }
    this.#items = items;
    this.#head = 0;
  }
}
