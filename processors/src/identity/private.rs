//! Private addresses, which repeat in every network.

use std::net::IpAddr;

/// Whether the address is unique only within its network (RFC 1918, 4193, 6598).
pub(super) fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            ip.is_private() || (first == 100 && second & 0xc0 == 64)
        }
        IpAddr::V6(ip) => ip.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_private;

    #[test]
    fn addresses_of_the_private_ranges_are_private() {
        let private = [
            "10.0.0.7",
            "172.31.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "fd00::1",
        ];
        let public = ["8.8.8.8", "100.128.0.1", "172.32.0.1", "2001:db8::1"];
        assert!(private.iter().all(|ip| is_private(ip.parse().unwrap())));
        assert!(public.iter().all(|ip| !is_private(ip.parse().unwrap())));
    }
}
