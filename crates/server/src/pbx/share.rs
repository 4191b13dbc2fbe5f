//! Of several telephone systems, which has an extension: the one that names the longest beginning of it, else the one that
//! names none.

use std::sync::Arc;

/// What one telephone system has of all extensions. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    /// Beginnings of extensions, for each telephone system; empty: the rest.
    all: Arc<[Vec<String>]>,
    own: usize,
}

impl Share {
    /// The share of each of them.
    pub(crate) fn of_each(all: Vec<Vec<String>>) -> impl Iterator<Item = Self> {
        let all: Arc<[Vec<String>]> = all.into();
        (0..all.len()).map(move |own| Self {
            all: all.clone(),
            own,
        })
    }

    /// Whether this extension is there.
    pub(crate) fn has(&self, extension: &str) -> bool {
        owner(&self.all, extension) == Some(self.own)
    }
}

fn owner(all: &[Vec<String>], extension: &str) -> Option<usize> {
    let length = |beginnings: &Vec<String>| {
        let fitting = beginnings
            .iter()
            .filter(|beginning| extension.starts_with(&***beginning));
        match beginnings.is_empty() {
            true => Some(0),
            false => fitting.map(String::len).max(),
        }
    };
    let mut owner: Option<(usize, usize)> = None;
    for (own, beginnings) in all.iter().enumerate() {
        // Of two that name the same, the first.
        if let Some(length) = length(beginnings)
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
    fn the_longest_beginning_decides_and_the_rest_goes_where_none_is_named() {
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let all = vec![named(&[]), named(&["2", "30"]), named(&["201"])];
        let shares: Vec<Share> = Share::of_each(all).collect();
        let owner = |extension: &str| {
            let having = |share: &&Share| share.has(extension);
            let found: Vec<usize> = shares.iter().filter(having).map(|s| s.own).collect();
            assert_eq!(found.len(), 1, "{extension}");
            found[0]
        };
        assert_eq!(
            ["1001", "2001", "3001", "2011", "31"].map(owner),
            [0, 1, 1, 2, 0]
        );
        let mut only = Share::of_each(vec![named(&["1"])]);
        assert!(!only.next().unwrap().has("2001"));
    }
}
