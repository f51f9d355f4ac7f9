import { createHash } from 'node:crypto';
import http from 'node:http';

export interface ChainClient {
  /** Asks the chain about payments of one account, in one call: a receipt for each, in order. */
  lookUp(account: string, ...seqs: bigint[]): Promise<string[]>;
  close(): void;
}

/** What only the chain process and the final check know how to make. */
export function receiptOf(account: string, seq: string, secret: string): string {
  return createHash('md5').update(`${account}:${seq}:${secret}`).digest('hex');
}

/** A lean client: one keep-alive connection for each look-up that runs at the same time. */
export function openChain(port: number, connections: number): ChainClient {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  return {
    lookUp: (account, ...seqs) =>
      new Promise((resolve, reject) => {
        const path = `/look/${account}/${seqs.join(',')}`;
        const request = http.get({ host: '127.0.0.1', port, path, agent }, (response) => {
          let body = '';
          response.setEncoding('latin1');
          response.on('data', (text: string) => (body += text));
          response.on('end', () => resolve(body.split(',')));
          response.on('error', reject);
        });
        request.on('error', reject);
      }),
    close: () => agent.destroy(),
  };
}
