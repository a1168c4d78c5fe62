const ITEM_BY_ID = 'SELECT id, name, price FROM item WHERE id = $1';
const ITEMS = 100_000;

/** A point select: text and values. */
export function randomItem() {
  return [ITEM_BY_ID, [1 + Math.floor(Math.random() * ITEMS)]];
}
