//! Whom a completed scan saw.

use xxhash_rust::xxh3::xxh3_64;

/// Pairs of a uid's hash and the hash of the state it was seen in, by uid; 16 bytes each, little
/// endian: the form in which a store keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members(Vec<u8>);

/// Bytes that are no members.
#[derive(Debug, thiserror::Error)]
#[error("{0} bytes are not a whole number of members, 16 bytes each")]
pub struct MalformedMembers(usize);

const PAIR: usize = 16;

impl Members {
    /// Of pairs in any order; of a uid that stands twice the greater state counts.
    pub fn new(mut pairs: Vec<(u64, u64)>) -> Members {
        pairs.sort_unstable();
        pairs.reverse();
        pairs.dedup_by_key(|(uid, _)| *uid);
        pairs.reverse();
        let mut bytes = Vec::with_capacity(pairs.len() * PAIR);
        for (uid, state) in pairs {
            bytes.extend_from_slice(&uid.to_le_bytes());
            bytes.extend_from_slice(&state.to_le_bytes());
        }
        Members(bytes)
    }

    /// # Errors
    /// When the bytes are not a whole number of members.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Members, MalformedMembers> {
        if bytes.len().is_multiple_of(PAIR) {
            Ok(Members(bytes))
        } else {
            Err(MalformedMembers(bytes.len()))
        }
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Names the members: stable for ever, since it is stored.
    pub fn hash(&self) -> u64 {
        xxh3_64(&self.0)
    }

    pub fn len(&self) -> usize {
        self.0.len() / PAIR
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each uid's hash and the state in which it was seen, by uid.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        (0..self.len()).map(|index| self.pair(index))
    }

    /// The state in which the uid with this hash was seen, 0 where that is not known; none where
    /// it was not seen.
    pub fn state_of(&self, uid: u64) -> Option<u64> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            let (found, state) = self.pair(middle);
            match found.cmp(&uid) {
                std::cmp::Ordering::Equal => return Some(state),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    fn pair(&self, index: usize) -> (u64, u64) {
        let number = |at: usize| {
            let bytes = &self.0[at..at + 8];
            u64::from_le_bytes(bytes.try_into().expect("8 bytes"))
        };
        (number(index * PAIR), number(index * PAIR + 8))
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
    fn bytes_that_end_in_a_member_are_refused() {
        assert!(Members::from_bytes(vec![0; 17]).is_err());
        assert_eq!(Members::from_bytes(vec![0; 32]).unwrap().len(), 2);
    }
}
