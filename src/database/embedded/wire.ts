/**
 * The few messages of the Postgres frontend/backend protocol 3.0 that the embedded database
 * reads or writes itself (PostgreSQL documentation, "Message Formats"). Everything else passes
 * through untouched.
 */
import { Buffer } from 'node:buffer';

/** First byte of the messages a client sends. */
export const fromClient = {
  query: 0x51, // Q
  parse: 0x50, // P
  bind: 0x42, // B
  describe: 0x44, // D
  close: 0x43, // C
  sync: 0x53, // S
  flush: 0x48, // H
  copyDone: 0x63, // c
  copyFail: 0x66, // f
  terminate: 0x58, // X
} as const;

/** First byte of the messages the server sends. */
export const fromServer = {
  readyForQuery: 0x5a, // Z
  notification: 0x41, // A
} as const;

/** What a client sends before its first typed message. */
export const startupCode = { ssl: 80_877_103, gss: 80_877_104, cancel: 80_877_102 } as const;

/** The status byte of ReadyForQuery outside a transaction. */
export const idleStatus = 0x49; // I

/** Names a prepared statement in Describe and Close (as opposed to a portal). */
export const statementKind = 0x53; // S

/** One message: type byte, length (that counts itself), body. */
export function message(type: number | string, ...body: Uint8Array[]): Buffer {
  const content = Buffer.concat(body);
  const head = Buffer.allocUnsafe(5);
  head[0] = typeof type === 'string' ? type.charCodeAt(0) : type;
  head.writeInt32BE(4 + content.length, 1);
  return Buffer.concat([head, content]);
}

/** A zero-terminated string. */
export function cstring(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

/** The text between `start` and the next zero byte. */
export function readCstring(bytes: Buffer, start: number): string {
  return bytes.toString('utf8', start, bytes.indexOf(0, start));
}

export const syncMessage = message(fromClient.sync);

export function queryMessage(sql: string): Buffer {
  return message(fromClient.query, cstring(sql));
}

export function closeStatement(name: string): Buffer {
  return message(fromClient.close, Buffer.from([statementKind]), cstring(name));
}

/** ErrorResponse of severity FATAL: the client drops the connection after it. */
export function fatalError(sqlState: string, text: string): Buffer {
  const fields = ['SFATAL', 'VFATAL', `C${sqlState}`, `M${text}`].map(cstring);
  return message('E', ...fields, Buffer.from([0]));
}

/** AuthenticationOk, the parameters clients look at, BackendKeyData, ReadyForQuery. */
export function startupAnswer(connectionId: number): Buffer {
  const parameters = {
    server_version: '18.6 (PGlite)',
    server_encoding: 'UTF8',
    client_encoding: 'UTF8',
    DateStyle: 'ISO, MDY',
    integer_datetimes: 'on',
    standard_conforming_strings: 'on',
    TimeZone: 'UTC',
  };
  const backendKey = Buffer.alloc(8);
  backendKey.writeInt32BE(connectionId, 0);
  return Buffer.concat([
    message('R', Buffer.alloc(4)),
    ...Object.entries(parameters).map(([key, value]) => message('S', cstring(key), cstring(value))),
    message('K', backendKey),
    message('Z', Buffer.from([idleStatus])),
  ]);
}

/** The complete messages at the front of `bytes`, and the rest. */
export function splitMessages(bytes: Buffer): { messages: Buffer[]; rest: Buffer } {
  const messages: Buffer[] = [];
  let at = 0;
  while (at + 5 <= bytes.length) {
    const end = at + 1 + bytes.readInt32BE(at + 1);
    if (end > bytes.length) break;
    messages.push(bytes.subarray(at, end));
    at = end;
  }
  return { messages, rest: bytes.subarray(at) };
}
