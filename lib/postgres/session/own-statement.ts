import { Connection } from 'pg';

/** By their texts: of BEGIN there are as many as ways to begin, and of the others one each. */
const known = new Map<string, Buffer>();

/**
 * Parse, Bind and Execute of a statement of our own without parameters and rows, as pg writes them.
 * They are sent over and over: made once, and as one piece, they cost least.
 */
export function ownStatement(text: string): Buffer {
  let messages = known.get(text);
  if (!messages) known.set(text, (messages = messagesOf(text)));
  return messages;
}

function messagesOf(text: string): Buffer {
  const written: Buffer[] = [];
  const stream = { writable: true, write: (message: Buffer) => written.push(message) };
  const nowhere = Object.assign(Object.create(Connection.prototype) as Connection, { stream });
  nowhere.parse({ text } as never, true);
  nowhere.bind({ values: [] }, true);
  nowhere.execute({}, true);
  return Buffer.concat(written);
}
