/** A request to cancel a statement, as it came along on a connection of its own. */
export interface CancelRequest {
  readonly processId: number;
  readonly secretKey: Buffer;
}

const CANCEL_REQUEST_CODE = 80_877_102;
/** SSLRequest and GSSENCRequest: eight bytes, answered by one, and then the real packet follows. */
const NEGOTIATION_CODES = new Set([80_877_103, 80_877_104]);
const HEADER_BYTES = 8;
const NEGOTIATION_BYTES = 8;

/** Reads the beginning of what a client says, to tell a cancel request from a session. */
export class CancelRequestReader {
  #beginning: Buffer | undefined = Buffer.alloc(0);

  /** The cancel request, as soon as it is complete; undefined for everything else. */
  read(bytes: Buffer): CancelRequest | undefined {
    if (this.#beginning === undefined) return undefined;
    this.#beginning = Buffer.concat([this.#beginning, bytes]);
    while (this.#beginning.length >= HEADER_BYTES) {
      const length = this.#beginning.readInt32BE(0);
      const code = this.#beginning.readInt32BE(4);
      if (NEGOTIATION_CODES.has(code)) {
        this.#beginning = this.#beginning.subarray(NEGOTIATION_BYTES);
        continue;
      }
      if (code === CANCEL_REQUEST_CODE && this.#beginning.length < length) return undefined;
      const packet = this.#beginning.subarray(0, length);
      this.#beginning = undefined;
      return code === CANCEL_REQUEST_CODE ? parse(packet) : undefined;
    }
    return undefined;
  }
}

function parse(packet: Buffer): CancelRequest {
  return { processId: packet.readInt32BE(8), secretKey: Buffer.from(packet.subarray(12)) };
}
