/** Chain ids with the URLs of their nodes, in the order in which they are asked. */
export type RpcUrls = ReadonlyMap<number, readonly string[]>;

/**
 * Parses GUARDIAN_EVM_RPC_URLS, a comma list of `chain id=URL`.
 * @returns the nodes, or what is wrong; never a URL, since URLs hold keys.
 */
export function parseRpcUrls(text: string): RpcUrls | string {
  const urls = new Map<number, string[]>();
  for (const entry of text.split(',')) {
    const [, id, url = ''] = /^\s*([1-9]\d{0,15})\s*=\s*(\S+)\s*$/.exec(entry) ?? [];
    const chainId = Number(id);
    if (!Number.isSafeInteger(chainId)) return 'must be a comma list of `chain id=URL`';
    const fault = faultOf(url);
    if (fault) return `the URL of chain ${chainId} ${fault}`;
    urls.set(chainId, [...(urls.get(chainId) ?? []), url]);
  }
  return urls;
}

function faultOf(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is none';
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must be http or https';
  // fetch refuses such URLs
  if (url.username || url.password) return 'must not hold a user name';
  return undefined;
}
