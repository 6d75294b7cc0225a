/** Pending timers of one thread, earliest first; ties in the order they were set. The hosting thread only. */
import { BinaryHeap } from './binary-heap.ts';

interface Timer<Payload> {
  readonly id: number;
  readonly atMs: number;
  readonly payload: Payload;
}

/** Timers with what they carry; `atMs` is monotonic. */
export class TimerQueue<Payload> {
  readonly #heap = new BinaryHeap<Timer<Payload>>((left, right) =>
    left.atMs === right.atMs ? left.id < right.id : left.atMs < right.atMs,
  );
  readonly #live = new Set<number>();
  #nextId = 1;

  get size(): number {
    return this.#live.size;
  }

  /** Returns the timer's number. */
  add(atMs: number, payload: Payload): number {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#live.add(id);
    this.#heap.push({ id, atMs, payload });
    return id;
  }

  cancel(id: number): void {
    this.#live.delete(id);
    // Canceled entries stay in the heap until their time; rebuild when most of it is dead so that it stays bounded.
    if (this.#heap.size > 64 && this.#heap.size > this.#live.size * 4) this.#compact();
  }

  /** Returns the time of the earliest timer, or Infinity. */
  nextAtMs(): number {
    this.#skipCanceled();
    return this.#heap.peek()?.atMs ?? Infinity;
  }

  /** Removes and returns the earliest timer due at `nowMs`, if any. */
  takeDue(nowMs: number): { readonly id: number; readonly payload: Payload } | undefined {
    this.#skipCanceled();
    const first = this.#heap.peek();
    if (first === undefined || first.atMs > nowMs) return undefined;
    this.#heap.pop();
    this.#live.delete(first.id);
    return first;
  }

  #skipCanceled(): void {
    for (let first = this.#heap.peek(); first !== undefined && !this.#live.has(first.id); first = this.#heap.peek())
      this.#heap.pop();
  }

  #compact(): void {
    const kept: Timer<Payload>[] = [];
    for (let timer = this.#heap.pop(); timer !== undefined; timer = this.#heap.pop())
      if (this.#live.has(timer.id)) kept.push(timer);
    for (const timer of kept) this.#heap.push(timer);
  }
}
