import { isIP } from 'node:net';
import type { Context } from 'hono';

/** Who says where a request comes from: the socket, the nearest proxy, or Fly's proxy. */
export type TrustedProxy = 'none' | 'forwarded' | 'fly';

/** What the servers of Node and Deno pass on with a request. */
interface Connection {
  incoming?: { socket?: { remoteAddress?: string } };
  remoteAddr?: { hostname?: string };
}

/**
 * The client's IP address, or null where nobody knows it. Headers count only when the proxy that
 * writes them is trusted, and then only what the nearest one has written: the last entry of
 * `X-Forwarded-For`, or `Fly-Client-IP`. Everything before it is whatever a client writes.
 */
export function clientAddress(c: Context, trusted: TrustedProxy): string | null {
  const said =
    trusted === 'fly'
      ? c.req.header('fly-client-ip')
      : trusted === 'forwarded'
        ? (c.req.header('x-forwarded-for')?.split(',').at(-1) ?? c.req.header('x-real-ip'))
        : undefined;
  const connection = c.env as Connection | undefined;
  const socket = connection?.incoming?.socket?.remoteAddress ?? connection?.remoteAddr?.hostname;
  return [said, socket].map(plainAddress).find((address) => address !== null) ?? null;
}

function plainAddress(text: string | undefined): string | null {
  const address = text?.trim().replace(/^::ffff:(?=\d+\.)/i, '');
  return address !== undefined && isIP(address) !== 0 ? address : null;
}

/**
 * What counts as one client: an IPv4 address, or the 64 leading bits of an IPv6 address, since
 * a customer is given at least that many to choose from.
 */
export function clientNetwork(address: string | null): string {
  if (address === null) return 'unknown';
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('%')[0]!.toLowerCase().split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after].slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`;
}
