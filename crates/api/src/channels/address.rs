//! Which addresses of the network are everybody's, and which are this machine's, this network's or nobody's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Prefixes of IPv4 that lead nowhere in the public network. *Source*: the IANA IPv4 Special-Purpose Address Registry
/// (RFC 6890), with multicast (RFC 5771) and the former relays of 6to4 (RFC 7526).
const NOT_PUBLIC_V4: [([u8; 4], u32); 15] = [
    ([0, 0, 0, 0], 8),       // this network, unspecified
    ([10, 0, 0, 0], 8),      // private
    ([100, 64, 0, 0], 10),   // shared by customers of a provider (CGNAT)
    ([127, 0, 0, 0], 8),     // loopback
    ([169, 254, 0, 0], 16),  // link-local: metadata of cloud machines, too
    ([172, 16, 0, 0], 12),   // private
    ([192, 0, 0, 0], 24),    // protocol assignments
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 88, 99, 0], 24),  // 6to4 relays
    ([192, 168, 0, 0], 16),  // private
    ([198, 18, 0, 0], 15),   // benchmarks
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 4),     // multicast
    ([240, 0, 0, 0], 4),     // reserved, broadcast
];

/// The only prefix of IPv6 out of which public addresses are given. What lies outside is refused as a whole: loopback,
/// unspecified, link-local, unique local, multicast, and IPv4 in disguise (mapped, compatible, NAT64). *Source*: the IANA
/// IPv6 Address Space registry.
const PUBLIC_V6: ([u16; 3], u32) = ([0x2000, 0, 0], 3);

/// Prefixes within it that are not public. *Source*: the IANA IPv6 Special-Purpose Address Registry.
const NOT_PUBLIC_V6: [([u16; 3], u32); 4] = [
    ([0x2001, 0, 0], 23), // protocol assignments: Teredo (IPv4 in disguise), ORCHID, benchmarks
    ([0x2001, 0x0db8, 0], 32), // documentation
    ([0x2002, 0, 0], 16), // 6to4: IPv4 in disguise
    ([0x3fff, 0, 0], 20), // documentation
];

/// Whether an address is a public one: anybody may be asked to send there without reaching what is ours.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|prefix| in_v4(address, *prefix)),
        IpAddr::V6(address) => {
            in_v6(address, PUBLIC_V6) && !NOT_PUBLIC_V6.iter().any(|prefix| in_v6(address, *prefix))
        }
    }
}

fn in_v4(address: Ipv4Addr, (prefix, bits): ([u8; 4], u32)) -> bool {
    (address.to_bits() ^ u32::from_be_bytes(prefix)) >> (u32::BITS - bits) == 0
}

fn in_v6(address: Ipv6Addr, ([a, b, c], bits): ([u16; 3], u32)) -> bool {
    let prefix = Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0);
    (address.to_bits() ^ prefix.to_bits()) >> (u128::BITS - bits) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(address: &str) -> bool {
        is_public(address.parse().unwrap())
    }

    #[test]
    fn addresses_of_the_public_network_are_public() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "3ffe::1",
            "2a00:1450::1",
        ] {
            assert!(public(address), "{address} was refused");
        }
    }

    #[test]
    fn private_and_special_addresses_are_not_public() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            assert!(!public(address), "{address} was taken");
        }
    }

    #[test]
    fn private_special_and_disguised_addresses_of_ipv6_are_not_public() {
        for address in [
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::ffff:0:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::8.8.8.8",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "3fff::1",
            "3fff:fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ] {
            assert!(!public(address), "{address} was taken");
        }
    }
}
