//! Maps with one value for each label of a metric.

/// Declares a map from an enum to values, with a label for each.
///
/// The map is a struct with a field per label. Its look-up is an exhaustive match without a hash:
/// a variant that is added to the enum does not compile until it has a label.
macro_rules! label_map {
    ($(#[$doc:meta])* $map:ident<$value:ident>: $key:ty { $($field:ident = $label:literal: $pattern:pat,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(super) struct $map<$value> {
            $($field: $value,)*
        }

        impl<$value> $map<$value> {
            /// Returns the value of a key.
            pub(super) const fn get(&self, key: $key) -> &$value {
                match key {
                    $($pattern => &self.$field,)*
                }
            }

            /// Returns all labels with their values, in the order of the declaration.
            pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &$value)> {
                [$(($label, &self.$field)),*].into_iter()
            }
        }
    };
}

pub(super) use label_map;
