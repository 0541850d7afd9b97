//! The members of a completed scan: the uids that it saw.

use xxhash_rust::xxh3::xxh3_64;

/// The uids that a scan saw, each with its state: pairs of the hash of the uid and the state, ascending by hash. The
/// bytes are the form in which a store keeps them: 16 for each pair, little endian.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members(Vec<u8>);

/// The bytes are not the stored form of members.
#[derive(Debug, thiserror::Error)]
#[error("{0} bytes are not a whole number of members, 16 bytes each")]
pub struct MalformedMembers(usize);

const PAIR_BYTES: usize = 16;

impl Members {
    /// Members from pairs in any order. If a uid occurs twice, the pair with the greater state is kept.
    pub fn new(mut pairs: Vec<(u64, u64)>) -> Members {
        pairs.sort_unstable();
        pairs.reverse();
        pairs.dedup_by_key(|(uid, _)| *uid);
        pairs.reverse();
        let mut bytes = Vec::with_capacity(pairs.len() * PAIR_BYTES);
        for (uid, state) in pairs {
            bytes.extend_from_slice(&uid.to_le_bytes());
            bytes.extend_from_slice(&state.to_le_bytes());
        }
        Members(bytes)
    }

    /// Members from their stored form.
    ///
    /// # Errors
    /// Fails if the bytes are not a whole number of members.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Members, MalformedMembers> {
        if bytes.len().is_multiple_of(PAIR_BYTES) {
            Ok(Members(bytes))
        } else {
            Err(MalformedMembers(bytes.len()))
        }
    }

    /// The stored form.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The hash of all members (XXH3, 64 bits). It never changes between versions, since stores keep it.
    pub fn hash(&self) -> u64 {
        xxh3_64(&self.0)
    }

    /// The number of members.
    pub fn len(&self) -> usize {
        self.0.len() / PAIR_BYTES
    }

    /// Whether the scan saw no uid.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The hash of each uid with its state, ascending by hash.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        (0..self.len()).map(|index| self.pair(index))
    }

    /// The state of the uid with this hash, 0 if it is unknown; `None` if the scan did not see the uid.
    pub fn state_of(&self, uid_hash: u64) -> Option<u64> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            let (middle_hash, state) = self.pair(middle);
            match middle_hash.cmp(&uid_hash) {
                std::cmp::Ordering::Equal => return Some(state),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    fn pair(&self, index: usize) -> (u64, u64) {
        let number = |start: usize| {
            let bytes = &self.0[start..start + 8];
            u64::from_le_bytes(bytes.try_into().expect("8 bytes"))
        };
        let start = index * PAIR_BYTES;
        (number(start), number(start + 8))
    }
}

#[cfg(test)]
mod tests {
    use super::Members;

    #[test]
    fn a_member_is_found_with_its_state() {
        let members = Members::new(vec![(9, 90), (3, 30), (u64::MAX, 1), (3, 31)]);
        assert_eq!(members.len(), 3);
        assert_eq!(members.state_of(3), Some(31));
        assert_eq!(members.state_of(9), Some(90));
        assert_eq!(members.state_of(u64::MAX), Some(1));
        assert_eq!(members.state_of(4), None);
        let all: Vec<_> = members.iter().collect();
        assert_eq!(all, [(3, 31), (9, 90), (u64::MAX, 1)]);
        assert_eq!(Members::default().state_of(0), None);
    }

    #[test]
    fn bytes_that_end_within_a_member_are_rejected() {
        assert!(Members::from_bytes(vec![0; 17]).is_err());
        assert_eq!(Members::from_bytes(vec![0; 32]).unwrap().len(), 2);
    }
}
