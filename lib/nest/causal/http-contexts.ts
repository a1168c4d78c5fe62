import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CausalContext } from '../../routing/causal/causal-context.js';
import { inCausalContext } from '../../routing/causal/causal-context.js';
import type { CausalReads, TokenNames } from './causal-reads.js';

type Next = () => void;
type Header = readonly [name: string, value: string];

/** What of Nest's HTTP adapters is used here. */
interface HttpAdapter {
  getType(): string;
  getInstance(): unknown;
  use(
    middleware: (request: IncomingMessage, response: ServerResponse, next: Next) => void,
  ): unknown;
}

interface FastifyReply {
  readonly raw: ServerResponse;
  header(name: string, value: string): unknown;
}

/** What of Fastify is used here. */
interface Fastify {
  addHook(
    name: 'onRequest' | 'preValidation',
    hook: (request: { raw: IncomingMessage }, reply: FastifyReply, done: Next) => void,
  ): unknown;
  addHook(
    name: 'onSend',
    hook: (
      request: { raw: IncomingMessage },
      reply: FastifyReply,
      payload: unknown,
      done: Next,
    ) => void,
  ): unknown;
}

const contexts = new WeakMap<object, CausalContext>();

/** The context of an HTTP request, as a handler gets it; undefined where it has none. */
export function contextOfRequest(request: unknown): CausalContext | undefined {
  if (typeof request !== 'object' || request === null) return undefined;
  return contexts.get((request as { raw?: object }).raw ?? request);
}

/** Has every HTTP request run in a context of its own. */
export function openContextOfRequests(adapter: unknown, reads: CausalReads): void {
  const http = adapter as Partial<HttpAdapter> | undefined;
  if (http?.getType?.() === 'fastify') {
    hookInto(http.getInstance!() as Fastify, reads);
    return;
  }
  http?.use?.((request, response, next) => {
    const context = openFor(request, reads);
    beforeHead(response, () => addTo(response, context, reads));
    inCausalContext(context, next);
  });
}

function addTo(response: ServerResponse, context: CausalContext, reads: CausalReads): void {
  for (const [name, value] of headersOf(context, reads)) response.appendHeader(name, value);
}

function hookInto(fastify: Fastify, reads: CausalReads): void {
  const told = new WeakSet<object>();
  fastify.addHook('onRequest', ({ raw }, reply, done) => {
    const context = openFor(raw, reads);
    // For whoever answers without Fastify.
    beforeHead(reply.raw, () => {
      if (!told.has(raw)) addTo(reply.raw, context, reads);
    });
    inCausalContext(context, done);
  });
  // The body was read meanwhile, in the context of the socket.
  fastify.addHook('preValidation', ({ raw }, _reply, done) => {
    inCausalContext(contexts.get(raw)!, done);
  });
  fastify.addHook('onSend', ({ raw }, reply, _payload, done) => {
    const context = contexts.get(raw);
    told.add(raw);
    if (context) for (const header of headersOf(context, reads)) reply.header(...header);
    done();
  });
}

function openFor(request: IncomingMessage, reads: CausalReads): CausalContext {
  const context = reads.open(tokensOf(request, reads.names));
  contexts.set(request, context);
  return context;
}

// --- Tokens --------------------------------------------------------------------------------------

function tokensOf({ headers }: IncomingMessage, names: TokenNames | undefined) {
  if (!names) return [];
  const { cookie, header } = names;
  const own = header === undefined ? undefined : headers[header];
  return [
    ...(typeof own === 'string' ? [own] : []),
    ...(cookie === undefined ? [] : cookiesOf(headers.cookie, cookie)),
  ];
}

function cookiesOf(all: string | undefined, name: string): string[] {
  const start = `${name}=`;
  return (all ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(start))
    .map((pair) => pair.slice(start.length));
}

function headersOf(context: CausalContext, reads: CausalReads): Header[] {
  const { names } = reads;
  const token = names && reads.tokenOf(context);
  if (!names || token === undefined) return [];
  const { cookie, header, maxAgeMs } = names;
  const age = Math.ceil(maxAgeMs / 1000);
  const attributes = `Max-Age=${age}; Path=/; HttpOnly; Secure; SameSite=Lax`;
  return [
    ...(header === undefined ? [] : [[header, token] as const]),
    ...(cookie === undefined ? [] : [['set-cookie', `${cookie}=${token}; ${attributes}`] as const]),
  ];
}

/** Calls `add` right before the head of a response is written, when it can still be added to. */
function beforeHead(response: ServerResponse, add: () => void): void {
  const writeHead = response.writeHead.bind(response);
  let isAdded = false;
  response.writeHead = ((...head: Parameters<typeof writeHead>) => {
    if (!isAdded && !response.headersSent) {
      isAdded = true;
      add();
    }
    return writeHead(...head);
  }) as typeof writeHead;
}
