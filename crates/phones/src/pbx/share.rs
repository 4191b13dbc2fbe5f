//! Division of extensions among several PBXs: an extension belongs to the PBX with the longest matching prefix, else to the
//! PBX without prefixes.

use std::sync::Arc;

use presence::Extension;

/// The extensions of one PBX. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Share {
    /// Prefixes of extensions, for each PBX; empty: all other extensions.
    all: Arc<[Vec<String>]>,
    own: usize,
}

impl Share {
    /// The share of each PBX, by the prefixes of all.
    pub fn of_each(all: Vec<Vec<String>>) -> impl Iterator<Item = Self> {
        let all: Arc<[Vec<String>]> = all.into();
        (0..all.len()).map(move |own| Self {
            all: all.clone(),
            own,
        })
    }

    /// Whether an extension belongs to the PBX.
    pub fn has(&self, extension: &Extension) -> bool {
        owner(&self.all, extension) == Some(self.own)
    }
}

fn owner(all: &[Vec<String>], extension: &str) -> Option<usize> {
    let length = |prefixes: &Vec<String>| {
        let fitting = prefixes
            .iter()
            .filter(|prefix| extension.starts_with(&***prefix));
        match prefixes.is_empty() {
            true => Some(0),
            false => fitting.map(String::len).max(),
        }
    };
    let mut owner: Option<(usize, usize)> = None;
    for (own, prefixes) in all.iter().enumerate() {
        // Of two PBXs with the same prefix, the first.
        if let Some(length) = length(prefixes)
            && owner.is_none_or(|(_, longest)| length > longest)
        {
            owner = Some((own, length));
        }
    }
    owner.map(|(own, _)| own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_decides_and_the_rest_goes_where_none_is_named() {
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let all = vec![named(&[]), named(&["2", "30"]), named(&["201"])];
        let shares: Vec<Share> = Share::of_each(all).collect();
        let owner = |extension: &str| {
            let having = |share: &&Share| share.has(&Extension::stored(extension));
            let found: Vec<usize> = shares.iter().filter(having).map(|s| s.own).collect();
            assert_eq!(found.len(), 1, "{extension}");
            found[0]
        };
        assert_eq!(
            ["1001", "2001", "3001", "2011", "31"].map(owner),
            [0, 1, 1, 2, 0]
        );
        let mut only = Share::of_each(vec![named(&["1"])]);
        assert!(!only.next().unwrap().has(&Extension::stored("2001")));
    }
}
