//! Storage of what is in flight, with keys that are never reused.

/// Key of an item. It stays invalid once the item has been removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    index: u32,
    generation: u32,
}

/// Items in flight. Removed places are filled again, so the memory is bounded by the most items that
/// were in flight at once.
#[derive(Debug)]
pub(super) struct Slab<T> {
    places: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn insert(&mut self, item: T) -> Key {
        if let Some(index) = self.free.pop()
            && let Some((generation, place)) = self.places.get_mut(index as usize)
        {
            *place = Some(item);
            return Key { index, generation: *generation };
        }
        let index = self.places.len() as u32;
        self.places.push((0, Some(item)));
        Key { index, generation: 0 }
    }

    pub(super) fn get(&self, key: Key) -> Option<&T> {
        let (generation, item) = self.places.get(key.index as usize)?;
        item.as_ref().filter(|_| *generation == key.generation)
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let (generation, item) = self.places.get_mut(key.index as usize)?;
        item.as_mut().filter(|_| *generation == key.generation)
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        let (generation, item) = self.places.get_mut(key.index as usize)?;
        if *generation != key.generation {
            return None;
        }
        let removed = item.take()?;
        *generation = generation.wrapping_add(1);
        self.free.push(key.index);
        Some(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_invalid_once_its_item_is_removed_even_if_the_place_is_filled_again() {
        let mut slab = Slab::new();
        let first = slab.insert("first");
        assert_eq!((slab.get(first), slab.len()), (Some(&"first"), 1));
        assert_eq!(slab.remove(first), Some("first"));
        let second = slab.insert("second");
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.get_mut(second), Some(&mut "second"));
        assert_eq!(slab.len(), 1);
        assert_eq!(slab.places.len(), 1);
    }
}
