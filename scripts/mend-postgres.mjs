/**
 * Mends the installed `postgres` 3.4.9: after every `npm ci`, and in the Dockerfile.
 *
 * When the server cuts connections under load (a restart is enough), the driver's connections
 * carry what they were doing over into their next session, and then wait for ever for answers that
 * nobody will send: the pool loses one connection after the other until the process is restarted.
 * Known and open upstream: porsager/postgres #1133, #1208, #1209, #1214, #1215;
 * denoland/deno #34667. What is mended:
 *
 * 1. A write that was scheduled when the connection was lost counts as scheduled for ever: nothing
 *    is sent any more, not even the greeting of the next session.
 * 2. On Deno such a write may still run, without a socket, and ends the process.
 * 3. Queries handed over between the socket's `error` and its `close` are never answered, and the
 *    next session waits for them first.
 * 4. The last error of the lost session is reported to the first query of the next one.
 * 5. A server that hangs up while greeting is called again at once, for ever.
 * 6. The driver's own first query is awaited by nobody: when it fails, the process would end.
 *
 * test/database/lost-connections.db.test.ts shows the fault and that it is gone. A version with
 * other text makes this script fail, on purpose: look then whether it still needs mending.
 */
import fs from 'node:fs';
import process from 'node:process';

const mark = 'clearImmediate(nextWriteTimer); chunk = nextWriteTimer = null';
const closed = "Errors.connection('CONNECTION_CLOSED', options";

/** What stands in the file, how often, and what shall stand there. */
const mends = [
  ['    clearImmediate(nextWriteTimer)\n    if (socket)', `    ${mark}\n    if (socket)`],
  ['    clearImmediate(nextWriteTimer)\n    socket.', `    ${mark}\n    socket.`],
  [
    'function nextWrite(fn) {\n',
    `function nextWrite(fn) {
    if (!chunk) return true
    if (!socket) {
      chunk = nextWriteTimer = null
      error(${closed}))
      return false
    }
`,
  ],
  ['        return fetchArrayTypes()\n', '        return fetchArrayTypes().catch(() => {})\n'],
  [
    `    if (initial)
      return reconnect()

    !hadError && (query || sent.length) && error(${closed}, socket))
`,
    `    if (initial && options.host.length > 1)
      return reconnect()

    ;(query || initial || sent.length) && error(${closed}, socket))
    query = results = errorResponse = null
    result = new Result()
    rows = 0
`,
  ],
];

for (const build of ['src', 'cjs/src']) {
  const file = new URL(`../node_modules/postgres/${build}/connection.js`, import.meta.url);
  let text = fs.readFileSync(file, 'utf8');
  for (const [broken, mended] of mends) {
    if (text.includes(mended)) continue;
    if (text.split(broken).length !== 2) {
      console.error(
        `postgres/${build}/connection.js is not the one that needs mending:\n${broken}`,
      );
      process.exit(1);
    }
    text = text.replace(broken, () => mended);
  }
  fs.writeFileSync(file, text);
}
