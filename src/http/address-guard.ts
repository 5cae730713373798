import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** The `code` of the error with which a guarded transport refuses an address. */
export const PRIVATE_ADDRESS = 'ERR_PRIVATE_ADDRESS';

/** NAT64 (RFC 6052): how a network with IPv6 alone reaches an IPv4 address, which is the last 32 bits. */
const NAT64 = ipaddr.IPv6.parse('64:ff9b::');
/** All of IPv6 that is given out to the public. What is outside, such as `::127.0.0.1` of RFC 4291, no library need list. */
const GLOBAL_UNICAST = ipaddr.IPv6.parse('2000::');

/**
 * Whether an address is on the public internet. Not: private, loopback, link-local (the metadata services of clouds), shared by
 * carriers, multicast, reserved; neither in IPv4, nor mapped into IPv6, nor behind a NAT64 or a tunnel.
 * @param address - a literal, without brackets. What is none is not public.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.range() === 'unicast';
  if (parsed.match(NAT64, 96)) return isPublicAddress(parsed.toByteArray().slice(12).join('.'));
  return parsed.match(GLOBAL_UNICAST, 3) && parsed.range() === 'unicast';
}

/**
 * What is wrong with a host that is an address itself: nobody looks it up, so no lookup can refuse it.
 * @param hostname - of a `URL`: an IPv6 address has brackets, and IPv4 in any notation is written with dots.
 */
export function privateLiteral(hostname: string): Error | undefined {
  const address = hostname.replace(/^\[|\]$/g, '');
  return isIP(address) === 0 || isPublicAddress(address) ? undefined : privateAddress();
}

/**
 * A lookup for `net.connect` that leaves only public addresses. The check is made on what will be connected to: a name that is looked up
 * beforehand can have another address a moment later (DNS rebinding).
 */
export function publicLookup(lookup: typeof systemLookup = systemLookup): LookupFunction {
  return (hostname, options: LookupOptions, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) {
        done(error, '');
        return;
      }
      const allowed = addresses.filter(({ address }) => isPublicAddress(address));
      const [first] = allowed;
      if (first === undefined) done(privateAddress(), '');
      else if (options.all) done(null, allowed);
      else done(null, first.address, first.family);
    });
  };
}

/** Without the address: an error about an image can be read by whoever made the job, and the inside of a network is not theirs to map. */
function privateAddress(): Error {
  return Object.assign(new Error('the host is at no public address'), { code: PRIVATE_ADDRESS });
}
