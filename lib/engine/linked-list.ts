/** What can stand in a {@link LinkedList}: in one at a time. */
export interface Linked<T> {
  previous: T | undefined;
  next: T | undefined;
}

/** A doubly linked list: whoever gives up leaves from the middle as cheaply as from the head. */
export class LinkedList<T extends Linked<T>> {
  head: T | undefined;
  #tail: T | undefined;
  size = 0;

  push(item: T): void {
    item.previous = this.#tail;
    if (this.#tail) this.#tail.next = item;
    else this.head = item;
    this.#tail = item;
    this.size += 1;
  }

  remove(item: T): void {
    if (item.previous) item.previous.next = item.next;
    else this.head = item.next;
    if (item.next) item.next.previous = item.previous;
    else this.#tail = item.previous;
    item.previous = undefined;
    item.next = undefined;
    this.size -= 1;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let item = this.head; item; item = item.next) yield item;
  }
}
