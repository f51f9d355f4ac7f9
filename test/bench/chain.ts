/**
 * The chain of the benchmarks, a process of its own: answers a look-up with a receipt for each
 * payment that nobody else can make, after a latency (a message changes it), and counts its calls.
 */
import http from 'node:http';
import process from 'node:process';
import { receiptOf } from './kernel/chain-client.ts';

const { secret = '', latencyMs = '0' } = JSON.parse(process.argv[2] ?? '{}') as Record<
  string,
  string
>;
let latency = Number(latencyMs);
let calls = 0;

const server = http.createServer((request, response) => {
  calls += 1;
  const [, , account = '', seqs = ''] = (request.url ?? '').split('/');
  const receipts = seqs.split(',').map((seq) => receiptOf(account, seq, secret));
  const body = receipts.join(',');
  const answer = () => {
    response.writeHead(200, { 'content-length': body.length });
    response.end(body);
  };
  if (latency > 0) setTimeout(answer, latency);
  else answer();
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
});
process.on('message', (message: string) => {
  if (message !== 'calls') latency = Number(message);
  process.send?.({ calls });
});
process.on('disconnect', () => process.exit(0));
