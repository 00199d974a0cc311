use std::fs;

use tempfile::TempDir;

use super::*;

const WIT: &str = r#"
package mine:things@1.0.0;

/// Shared types.
interface types {
    /// A thing.
    record thing {
        /// Its */ size.
        size-of-it: u64,
        note: option<string>,
        bytes: list<u8>,
        pairs: list<tuple<string, f64>>,
    }
    flags marks { bold, very-bold }
    enum level { low, high }
    variant trouble {
        /// Lost.
        lost(string),
        unknown,
    }
}

interface store {
    use types.{thing};
    delete: func(key: string, in: option<u32>) -> result<_, string>;
    find: func(names: list<option<string>>) -> option<option<thing>>;
}

interface shop {
    use types.{thing, trouble};
    /// Sells.
    sell: func(thing-to-sell: thing) -> result<list<thing>, trouble>;
    check: func() -> result;
}

world mine {
    import store;
    export shop;
}
"#;

fn declared(wit: &str) -> String {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("world.wit"), wit).unwrap();
    declarations(&World::read(folder.path(), None).unwrap())
}

#[test]
fn a_world_is_declared_as_modules() {
    insta::assert_snapshot!(declared(WIT), @r#"
    // Types of the world `mine`, written by `pointsman policy build`.

    declare module "mine:things/shop@1.0.0" {
      export type Thing = import("mine:things/types@1.0.0").Thing;
      export type Trouble = import("mine:things/types@1.0.0").Trouble;
      export interface Shop {
        /**
         * Sells.
         * @throws {Trouble}
         */
        sell(thingToSell: Thing): Thing[];
        /** @throws {undefined} */
        check(): void;
      }
    }

    declare module "mine:things/store@1.0.0" {
      export type Thing = import("mine:things/types@1.0.0").Thing;
      /** @throws {Error & { payload: string }} */
      function _delete(key: string, in_: number | null): void;
      export { _delete as delete };
      export function find(names: (string | null)[]): { tag: "some"; val: Thing | null } | { tag: "none" };
    }

    /** Shared types. */
    declare module "mine:things/types@1.0.0" {
      /** A thing. */
      export interface Thing {
        /** Its * / size. */
        sizeOfIt: number;
        note?: string | null;
        bytes: Uint8Array;
        pairs: [string, number][];
      }
      export interface Marks {
        bold: boolean;
        veryBold: boolean;
      }
      export type Level =
        | "low"
        | "high";
      export type Trouble =
        /** Lost. */
        | { tag: "lost"; val: string }
        | { tag: "unknown" };
    }
    "#);
}

#[test]
fn names_are_those_of_the_language() {
    assert_eq!(camel_case("max-output-tokens"), "maxOutputTokens");
    assert_eq!((camel_case("id"), pascal_case("no-candidate")), ("id".to_owned(), "NoCandidate".to_owned()));
}
