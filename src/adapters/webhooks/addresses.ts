/**
 * Which addresses a participant's webhook may have: public ones. A house stands in a network with neighbours that trust it, and must not be sent
 * to them. So names are resolved when a webhook is registered and again at each delivery, and it is the address that was looked at which is
 * connected to.
 */

import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { AuctionError } from '../../market/errors.ts';

/** Not for the public: IANA's registries of special-purpose addresses, multicast and what is reserved. */
const special: readonly [address: string, prefix: number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];
/** Of version 6 only global unicast is public, and of that not what leads to an address of version 4 or is for documents. */
const global6 = ['2000::', 3] as const;
const special6: readonly [address: string, prefix: number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const refused4 = new BlockList();
for (const [address, prefix] of special) refused4.addSubnet(address, prefix, 'ipv4');
const refused6 = new BlockList();
for (const [address, prefix] of special6) refused6.addSubnet(address, prefix, 'ipv6');
const taken6 = new BlockList();
taken6.addSubnet(...global6, 'ipv6');

export const isPublic = (address: string): boolean =>
  isIP(address) === 4
    ? !refused4.check(address, 'ipv4')
    : isIP(address) === 6 && taken6.check(address, 'ipv6') && !refused6.check(address, 'ipv6');

export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
}

/** The host of a URL where it is an address; names are looked up. */
export const addressIn = ({ hostname }: URL): string | undefined => {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return isIP(bare) === 0 ? undefined : bare;
};

const refusal = (host: string, address: string): AddressRefused =>
  new AddressRefused(`${host} is ${address === host ? 'no public address' : `${address}, which is no public address`}`);

/** @throws AddressRefused for a URL that has a private address for its host */
export function checkLiteral(url: URL): void {
  const address = addressIn(url);
  if (address !== undefined && !isPublic(address)) throw refusal(address, address);
}

/** A lookup that fails for a name of which any address is private. */
export const publicLookup =
  (lookup: LookupFunction = systemLookup as LookupFunction): LookupFunction =>
  (host, options, callback) =>
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 0);
      const all = found as unknown as { address: string; family: number }[];
      const wrong = all.find(({ address }) => !isPublic(address));
      if (wrong !== undefined || all.length === 0) return callback(refusal(host, wrong?.address ?? 'nothing'), '', 0);
      if (options.all) return callback(null, all as unknown as string, 0);
      callback(null, all[0]!.address, all[0]!.family);
    });

/**
 * Whether a webhook may be registered there.
 *
 * @param anywhere  any address, and without TLS
 * @throws AuctionError `invalid-request` naming `url`
 */
export async function checkAddress(
  address: string,
  { anywhere, lookup }: { readonly anywhere: boolean; readonly lookup?: LookupFunction | undefined },
): Promise<void> {
  const refuse = (code: string, message: string, options?: ErrorOptions) =>
    new AuctionError('invalid-request', `url: ${message}`, [{ field: 'url', code, message }], options);
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw refuse('no-url', `${address} is no address of a web server`);
  if (url.username !== '' || url.password !== '')
    throw refuse('credentials', 'it must not have a name or password in it');
  if (anywhere) return;
  if (url.protocol !== 'https:') throw refuse('not-https', 'webhooks are posted by https only');
  try {
    checkLiteral(url);
    if (addressIn(url) !== undefined) return;
    await new Promise<void>((resolve, reject) =>
      publicLookup(lookup)(url.hostname, { all: true }, (error) => (error ? reject(error) : resolve())),
    );
  } catch (cause) {
    if (cause instanceof AddressRefused) throw refuse('private-address', cause.message, { cause });
    throw refuse('unknown-host', `${url.hostname} cannot be looked up: ${(cause as Error).message}`, { cause });
  }
}
