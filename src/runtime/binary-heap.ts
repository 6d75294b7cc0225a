/** A priority queue whose smallest item, by the given order, comes out first. Any thread, one owner. */
export class BinaryHeap<Item> {
  readonly #items: Item[] = [];
  readonly #precedes: (left: Item, right: Item) => boolean;

  /** `precedes` must be a strict total order: ties make the outcome depend on history. */
  constructor(precedes: (left: Item, right: Item) => boolean) {
    this.#precedes = precedes;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    const items = this.#items;
    let index = items.push(item) - 1;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = items[parentIndex];
      if (parent === undefined || !this.#precedes(item, parent)) break;
      items[index] = parent;
      index = parentIndex;
    }
    items[index] = item;
  }

  pop(): Item | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return first;
    let index = 0;
    for (;;) {
      let childIndex = index * 2 + 1;
      let child = items[childIndex];
      if (child === undefined) break;
      const right = items[childIndex + 1];
      if (right !== undefined && this.#precedes(right, child)) {
        childIndex += 1;
        child = right;
      }
      if (!this.#precedes(child, last)) break;
      items[index] = child;
      index = childIndex;
    }
    items[index] = last;
    return first;
  }
}
