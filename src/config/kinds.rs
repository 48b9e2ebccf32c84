//! Declares the kinds of what the user names: what each needs, once. Reading, secrets and words in texts follow from the declaration.

/// Declares an enum of kinds: one entry a kind, its fields named as its keys in `config/keys/`.
macro_rules! kinds {
    ($(#[$all_doc:meta])* $all:ident in $group:literal; $($(#[$doc:meta])* $kind:ident($settings:ident) = $word:literal {
        $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
    })*) => {
        $(#[$all_doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $all {
            $($(#[$doc])* $kind($settings),)*
        }

        $(
            #[doc = concat!("`[", $group, ".NAME.", $word, "]`.")]
            #[derive(Clone, Debug, PartialEq)]
            pub struct $settings {
                $($(#[$field_doc])* pub $field: $type,)*
            }
        )*

        impl $all {
            /// Reads the settings of a kind.
            pub(super) fn read(kind: &str, section: &$crate::config::text::Section<'_>) -> Option<Self> {
                match kind {
                    $($word => {
                        $(let $field = <$type as $crate::config::read::Field>::read(section, stringify!($field));)*
                        Some(Self::$kind($settings { $($field: $field?,)* }))
                    })*
                    _ => None,
                }
            }

            /// Its word in the configuration.
            #[must_use]
            pub const fn as_str(&self) -> &'static str {
                match self {
                    $(Self::$kind(_) => $word,)*
                }
            }

            /// Every secret that it needs, by its key.
            pub(super) fn secrets(&self) -> Vec<(&'static str, &$crate::config::SecretRef)> {
                match self {
                    $(Self::$kind($settings { $($field,)* }) => {
                        let all: Vec<Vec<(&'static str, &$crate::config::SecretRef)>> =
                            vec![$($crate::config::read::Field::secrets($field, stringify!($field)),)*];
                        all.into_iter().flatten().collect()
                    })*
                }
            }
        }
    };
}

pub(super) use kinds;
