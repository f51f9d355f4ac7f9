/**
 * Changes what many clients may not share on one session: the names of prepared statements,
 * the channels they listen on, and COPY FROM STDIN, which PGlite cannot read.
 */
import { Buffer } from 'node:buffer';
import { cstring, fromClient, message, queryMessage, readCstring, statementKind } from './wire.ts';

/** What the hub must remember about one client's part of the shared session. */
export interface ClientState {
  readonly id: number;
  /** Channels this client listens on. */
  readonly channels: Set<string>;
  /** Prefixed names of its prepared statements. */
  readonly statements: Set<string>;
  /** Set when it may have stopped the whole session from listening on a channel. */
  unlistened: boolean;
}

const listenStatement = /(?:^|;)\s*(un)?listen\s+("(?:[^"]|"")+"|[\w$]+|\*)/gi;
const copyFromClient = /^\s*copy\b[\s\S]*\bfrom\s+stdin\b/i;
const refuseCopy = 'select "COPY FROM STDIN is not supported on the embedded database"()';

/** The message to run in place of `original`; notes LISTEN, UNLISTEN and statement names. */
export function rewrite(original: Buffer, client: ClientState): Buffer {
  switch (original[0]) {
    case fromClient.query: {
      const sql = readCstring(original, 5);
      noteChannels(sql, client);
      return copyFromClient.test(sql) ? queryMessage(refuseCopy) : original;
    }
    case fromClient.parse:
      return rewriteParse(original, client);
    case fromClient.bind:
      return prefixName(original, original.indexOf(0, 5) + 1, client);
    case fromClient.describe:
    case fromClient.close:
      return original[5] === statementKind ? prefixName(original, 6, client) : original;
    default:
      return original;
  }
}

function rewriteParse(original: Buffer, client: ClientState): Buffer {
  const sqlAt = original.indexOf(0, 5) + 1;
  const sql = readCstring(original, sqlAt);
  noteChannels(sql, client);
  if (copyFromClient.test(sql)) {
    const noParameterTypes = Buffer.alloc(2);
    const name = original.subarray(5, sqlAt);
    return message(fromClient.parse, name, cstring(refuseCopy), noParameterTypes);
  }
  const renamed = prefixName(original, 5, client);
  if (renamed !== original) client.statements.add(readCstring(renamed, 5));
  return renamed;
}

/** Two clients may use one name; the unnamed statement needs no prefix, it never outlives a turn. */
function prefixName(original: Buffer, nameAt: number, client: ClientState): Buffer {
  const end = original.indexOf(0, nameAt);
  if (end === nameAt) return original;
  const name = `${client.id}:${original.toString('utf8', nameAt, end)}`;
  const before = original.subarray(5, nameAt);
  return message(original[0] ?? 0, before, cstring(name), original.subarray(end + 1));
}

function noteChannels(sql: string, client: ClientState): void {
  for (const [, un, raw = ''] of sql.matchAll(listenStatement)) {
    const quoted = raw.startsWith('"');
    const channel = quoted ? raw.slice(1, -1).replaceAll('""', '"') : raw.toLowerCase();
    if (un === undefined) {
      client.channels.add(channel);
      continue;
    }
    client.unlistened = true;
    if (raw === '*') client.channels.clear();
    else client.channels.delete(channel);
  }
}
