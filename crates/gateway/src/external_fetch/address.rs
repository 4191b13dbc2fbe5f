//! Which IP addresses are public: the special-purpose registries of IANA (RFC 6890), and forms that carry an IPv4 address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 networks that are not public, as address and length of the prefix.
const NOT_PUBLIC: [([u8; 4], u32); 17] = [
    ([0, 0, 0, 0], 8),          // this network
    ([10, 0, 0, 0], 8),         // private
    ([100, 64, 0, 0], 10),      // shared by customers of a provider (CGNAT)
    ([127, 0, 0, 0], 8),        // loopback
    ([168, 63, 129, 16], 32),   // Azure's own services, from inside its machines only
    ([169, 254, 0, 0], 16),     // link-local, and clouds' metadata
    ([172, 16, 0, 0], 12),      // private
    ([192, 0, 0, 0], 24),       // protocol assignments
    ([192, 0, 2, 0], 24),       // documentation
    ([192, 88, 99, 0], 24),     // relays of 6to4
    ([192, 168, 0, 0], 16),     // private
    ([198, 18, 0, 0], 15),      // benchmarking
    ([198, 51, 100, 0], 24),    // documentation
    ([203, 0, 113, 0], 24),     // documentation
    ([224, 0, 0, 0], 4),        // multicast
    ([240, 0, 0, 0], 4),        // reserved, and broadcast
    ([255, 255, 255, 255], 32), // broadcast
];

/// Whether packets to it leave for the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !NOT_PUBLIC.iter().any(|(network, length)| {
        let mask = u32::MAX << (32 - length);
        address.to_bits() & mask == Ipv4Addr::from(*network).to_bits()
    })
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let carried = || Ipv4Addr::from_bits(u32::from(g) << 16 | u32::from(h));
    match (a, b, c, d, e, f) {
        // IPv4-mapped (RFC 4291) and NAT64 (RFC 6052): what they carry is reached.
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => is_public_v4(carried()),
        // Protocol assignments with Teredo, benchmarking and ORCHID (2001::/23); documentation; 6to4.
        (0x2001, ..0x200 | 0xdb8, ..) | (0x2002, ..) | (0x3fff, ..0x1000, ..) => false,
        // ISATAP (RFC 5214): carries an IPv4 address behind any prefix.
        (_, _, _, _, 0 | 0x200, 0x5efe) => false,
        // Global unicast is 2000::/3; all else is local, multicast or not assigned.
        _ => a >> 13 == 1,
    }
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn special_addresses_are_not_public_up_to_their_edges() {
        for (public, texts) in [
            (
                false,
                "0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 169.254.169.254 \
                 172.16.0.0 172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1 192.168.255.255 198.18.0.0 198.19.255.255 \
                 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 \
                 ::8.8.8.8 ::ffff:10.0.0.1 ::ffff:0:10.0.0.1 64:ff9b::127.0.0.1 64:ff9b:1::8.8.8.8 100::1 2001::1 \
                 2001:2::1 2001:1ff:ffff::1 2001:db8::1 2002:808:808:: 3fff::1 3fff:fff:ffff::1 fc00::1 \
                 fdff:ffff::1 fe80::1 febf::1 fec0::1 ff02::1 5f00::1 4000::1 1fff::1 2606::5efe:a00:1 \
                 2606::200:5efe:a00:1",
            ),
            (
                true,
                "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 168.63.129.17 \
                 172.15.255.255 172.32.0.0 192.0.1.1 192.167.1.1 198.17.255.255 198.20.0.0 223.255.255.255 \
                 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2001:200::1 2001:4860:4860::8888 2606:4700::1111 3fff:1000::1 \
                 2a00:1450::1",
            ),
        ] {
            for text in texts.split_whitespace() {
                assert_eq!(is_public(text.parse().unwrap()), public, "{text}");
            }
        }
    }
}
