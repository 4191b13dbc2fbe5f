//! A value that copies share until one of them changes it.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// A value that copies share. Changing a copy clones the value first, unless it is the only one.
#[derive(Clone, Debug, Default)]
pub struct CopyOnWrite<T>(Arc<T>);

impl<T> From<T> for CopyOnWrite<T> {
    fn from(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T: FromIterator<A>, A> FromIterator<A> for CopyOnWrite<T> {
    fn from_iter<I: IntoIterator<Item = A>>(items: I) -> Self {
        Self::from(T::from_iter(items))
    }
}

impl<T> Deref for CopyOnWrite<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for CopyOnWrite<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::CopyOnWrite;

    #[test]
    fn a_change_of_a_copy_leaves_the_original() {
        let original = CopyOnWrite::from(vec![1]);
        let mut copy = original.clone();
        copy.push(2);
        assert_eq!((original.len(), copy.len()), (1, 2));
    }
}
