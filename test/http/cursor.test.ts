import { expect, it } from 'vitest';
import { createCursors } from '../../src/http/cursor.ts';

const cursors = createCursors(new Uint8Array(32));
const cursor = cursors.seal('history:a', '17');

it('opens what it sealed, on every replica with the key', () => {
  expect(createCursors(new Uint8Array(32)).open('history:a', cursor)).toBe('17');
});

it.each([
  ['nothing', ''],
  ['a third part', `${cursor}.`],
  ['more in a third part', `${cursor}.MTc`],
  ['padding', cursor.replace('.', '==.')],
  ['characters that are not base64url', cursor.replace('.', '*.')],
  ['white space', ` ${cursor}`],
  ['a line end', `${cursor}\n`],
  ['the signature cut', cursor.slice(0, -1)],
  ['other unused bits in the last character', `${cursor.slice(0, -1)}${after(cursor.at(-1)!)}`],
  ['another position', cursors.seal('history:b', '18').split('.')[0] + cursor.slice(4)],
  ['bytes that are no text', `_w${cursor.slice(cursor.indexOf('.'))}`],
  ['a long text', cursor.padEnd(10_000, 'A')],
])('refuses a cursor with %s', (_name, changed) => {
  expect(changed).not.toBe(cursor);
  expect(() => cursors.open('history:a', changed)).toThrow(
    expect.objectContaining({ code: 'invalid_cursor' }),
  );
});

it('refuses a cursor for another purpose, or of another key', () => {
  const refused = expect.objectContaining({ code: 'invalid_cursor' }) as object;
  expect(() => cursors.open('history:b', cursor)).toThrow(refused);
  const foreign = createCursors(new Uint8Array(32).fill(1));
  expect(() => foreign.open('history:a', cursor)).toThrow(refused);
});

/** The next character of the alphabet: it differs in the lowest bit. */
function after(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(character) + 1]!;
}
