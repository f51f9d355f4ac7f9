/**
 * grpc-web framing of one unary call (PROTOCOL-WEB.md of the gRPC project):
 * frames of flags byte, big-endian length, payload; the last one, flagged 0x80, carries trailers.
 */
import { concatBytes, WireFormatError } from './protobuf.ts';

export const GRPC_WEB_CONTENT_TYPE = 'application/grpc-web+proto';

const HEADER_BYTES = 5;
const TRAILERS_FLAG = 0x80;

interface UnaryBody {
  message: Uint8Array | null;
  /** Names in lower case. */
  trailers: Map<string, string>;
}

/**
 * Splits a request or response body into its one message and its trailers.
 * @throws WireFormatError for unknown or compressed frames, a second message, or a cut body.
 */
export function readUnaryBody(body: Uint8Array): UnaryBody {
  let message: Uint8Array | null = null;
  let trailers: Map<string, string> | null = null;
  for (let at = 0; at < body.length;) {
    if (trailers !== null) throw new WireFormatError('there is data behind the trailers');
    if (body.length - at < HEADER_BYTES) throw new WireFormatError('a frame header is cut off');
    const header = new DataView(body.buffer, body.byteOffset + at, HEADER_BYTES);
    const end = at + HEADER_BYTES + header.getUint32(1);
    if (end > body.length) throw new WireFormatError('a frame is cut off');
    const payload = body.subarray(at + HEADER_BYTES, end);
    const flags = header.getUint8(0);
    if (flags === TRAILERS_FLAG) trailers = parseTrailers(payload);
    else if (flags !== 0) throw new WireFormatError('a frame has unknown flags');
    else if (message !== null) throw new WireFormatError('a unary call has two messages');
    else message = payload;
    at = end;
  }
  return { message, trailers: trailers ?? new Map() };
}

function parseTrailers(payload: Uint8Array): Map<string, string> {
  const trailers = new Map<string, string>();
  for (const line of new TextDecoder().decode(payload).split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) {
      trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
    }
  }
  return trailers;
}

export function frameMessage(message: Uint8Array): Uint8Array<ArrayBuffer> {
  return frame(0, message);
}

/** A whole response body: the message, if any, and the status in trailers. */
export function unaryResponse(
  message: Uint8Array | null,
  grpcStatus: number,
): Uint8Array<ArrayBuffer> {
  const trailers = frame(
    TRAILERS_FLAG,
    new TextEncoder().encode(`grpc-status:${String(grpcStatus)}\r\n`),
  );
  return message === null ? trailers : concatBytes(frameMessage(message), trailers);
}

function frame(flags: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  header.setUint8(0, flags);
  header.setUint32(1, payload.length);
  return concatBytes(new Uint8Array(header.buffer), payload);
}
