//! The words that indicate a task, in a hash table built at compile time: a fresh
//! instance decides every request, so there is nothing to set up at run time.

use crate::Task::{
    self, Chat, Code, Creative, Extraction, Knowledge, Maths, Reasoning, Summarising, Translation,
};

/// The meaning of a word: a task, and the weight from 1 (a hint) to 8 (nearly certain).
pub type Sign = (Task, u8);

/// Words of one task and strength. Singular, lower case; plurals are found too.
const WORDS: &[(Sign, &[&str])] = &[
    (
        (Code, 6),
        &[
            "python",
            "javascript",
            "typescript",
            "rust",
            "golang",
            "java",
            "kotlin",
            "sql",
            "postgres",
            "regex",
            "refactor",
            "debug",
            "compiler",
            "compile",
            "bash",
            "html",
            "css",
            "def",
            "subroutine",
            "fortran",
            "traceback",
            "stacktrace",
            "segfault",
            "numpy",
            "pandas",
            "react",
            "docker",
            "dockerfile",
            "kubernetes",
            "codebase",
            "docstring",
            "println",
            "printf",
            "async",
            "boolean",
            "programming",
        ],
    ),
    (
        (Code, 4),
        &[
            "code",
            "function",
            "algorithm",
            "tuple",
            "struct",
            "iterator",
            "exception",
            "endpoint",
            "api",
            "script",
            "bug",
            "program",
            "dictionary",
            "sublist",
            "array",
            "implement",
            "git",
            "recursion",
            "pointer",
        ],
    ),
    (
        (Code, 2),
        &[
            "string",
            "list",
            "loop",
            "class",
            "variable",
            "method",
            "import",
            "parameter",
            "integer",
            "nested",
            "computer",
        ],
    ),
    ((Maths, 8), &["math", "maths", "mathematics"]),
    (
        (Maths, 6),
        &[
            "equation",
            "polynomial",
            "derivative",
            "integral",
            "divisible",
            "frac",
            "sqrt",
            "theorem",
            "perimeter",
            "hypotenuse",
            "triangle",
            "asy",
            "modulo",
            "eigenvalue",
            "logarithm",
            "overline",
            "angle",
        ],
    ),
    (
        (Maths, 4),
        &[
            "calculate",
            "compute",
            "solve",
            "evaluate",
            "simplify",
            "prove",
            "proof",
            "matrix",
            "probability",
            "fraction",
            "digit",
            "arithmetic",
            "geometry",
            "algebra",
            "radius",
            "circle",
            "denominator",
            "expression",
            "cdot",
            "factor",
            "coefficient",
        ],
    ),
    (
        (Maths, 2),
        &[
            "many",
            "much",
            "total",
            "twice",
            "half",
            "percent",
            "sum",
            "remainder",
            "ratio",
            "average",
            "cost",
            "dollar",
            "hour",
            "minute",
            "mile",
            "spend",
            "earn",
            "buy",
            "sell",
            "price",
            "pay",
            "pound",
            "per",
            "day",
            "week",
            "altogether",
            "remaining",
            "left",
            "positive",
            "value",
            "number",
            "third",
            "quarter",
            "dozen",
        ],
    ),
    (
        (Reasoning, 8),
        &[
            "puzzle",
            "riddle",
            "clue",
            "deduce",
            "logic",
            "logical",
            "syllogism",
            "physics",
            "chemistry",
            "engineering",
        ],
    ),
    ((Reasoning, 5), &["premise", "fallacy", "infer", "inference", "argument", "dilemma", "paradox"]),
    (
        (Reasoning, 3),
        &[
            "velocity",
            "acceleration",
            "force",
            "voltage",
            "circuit",
            "mole",
            "molecule",
            "equilibrium",
            "pressure",
            "temperature",
            "entropy",
            "enthalpy",
            "electron",
            "photon",
            "wavelength",
            "momentum",
            "torque",
            "friction",
            "reaction",
            "resistance",
            "diameter",
            "magnetic",
            "orbit",
            "psia",
            "compound",
            "volt",
            "ampere",
            "concentration",
            "capacitor",
            "gas",
            "engine",
            "heat",
            "acid",
            "particle",
            "quantum",
            "spin",
            "spectrum",
            "atom",
            "ion",
            "bond",
            "energy",
            "mass",
            "nmr",
            "wave",
            "proton",
            "neutron",
            "solvent",
            "synthesis",
        ],
    ),
    (
        (Reasoning, 2),
        &[
            "why",
            "because",
            "therefore",
            "conclude",
            "explain",
            "compare",
            "likely",
            "assume",
            "if",
            "result",
            "would",
            "might",
            "could",
            "someone",
            "people",
            "person",
            "happen",
            "cause",
            "want",
            "need",
        ],
    ),
    (
        (Knowledge, 8),
        &[
            "biology",
            "history",
            "law",
            "psychology",
            "philosophy",
            "economics",
            "health",
            "business",
            "geography",
        ],
    ),
    (
        (Knowledge, 3),
        &[
            "who",
            "when",
            "where",
            "capital",
            "president",
            "invented",
            "author",
            "wrote",
            "novel",
            "king",
            "queen",
            "born",
            "century",
            "country",
            "war",
            "actor",
            "film",
            "movie",
            "album",
            "season",
            "episode",
            "team",
            "founded",
            "famous",
            "disease",
            "patient",
            "gene",
            "cell",
            "theory",
            "court",
            "plaintiff",
            "society",
            "culture",
            "religion",
            "played",
            "sang",
            "winner",
            "won",
            "world",
            "city",
            "river",
            "tv",
            "character",
        ],
    ),
    (
        (Knowledge, 1),
        &["what", "which", "name", "called", "known", "following", "year", "state", "first", "definition"],
    ),
    ((Translation, 8), &["translate", "translation", "übersetze", "traduis", "traduce", "traduire"]),
    (
        (Summarising, 8),
        &[
            "summarise",
            "summarize",
            "summary",
            "summarising",
            "summarizing",
            "tldr",
            "condense",
            "abstractive",
            "recap",
        ],
    ),
    ((Summarising, 2), &["shorten", "bullet", "takeaway", "overview", "brief", "gist"]),
    ((Extraction, 8), &["extract", "extraction"]),
    (
        (Extraction, 3),
        &["json", "csv", "entity", "parse", "schema", "invoice", "receipt", "identify", "column"],
    ),
    (
        (Creative, 6),
        &[
            "poem",
            "story",
            "haiku",
            "lyrics",
            "limerick",
            "sonnet",
            "slogan",
            "fiction",
            "screenplay",
            "rhyme",
            "fairy",
        ],
    ),
    (
        (Creative, 3),
        &[
            "essay",
            "blog",
            "imagine",
            "write",
            "email",
            "brainstorm",
            "tagline",
            "tweet",
            "caption",
            "speech",
            "song",
            "joke",
        ],
    ),
    ((Chat, 4), &["hello", "hi", "hey", "thanks", "thank", "goodbye", "morning", "cheers", "bye"]),
    (
        (Chat, 2),
        &["feel", "feeling", "advice", "recommend", "recommendation", "favourite", "favorite", "you"],
    ),
];

/// A power of two, over twice the number of words.
const SLOTS: usize = 1024;
const FREE: Slot = Slot { word: "", sign: (Chat, 0) };

#[derive(Clone, Copy)]
struct Slot {
    word: &'static str,
    sign: Sign,
}

static TABLE: [Slot; SLOTS] = build();

/// Open addressing. Overfilling would not end, and so not compile.
const fn build() -> [Slot; SLOTS] {
    let mut table = [FREE; SLOTS];
    let mut group = 0;
    while group < WORDS.len() {
        let (sign, words) = WORDS[group];
        let mut index = 0;
        while index < words.len() {
            let word = words[index];
            let mut slot = Hash::of(word.as_bytes()).slot();
            while !table[slot].word.is_empty() {
                slot = (slot + 1) % SLOTS;
            }
            table[slot] = Slot { word, sign };
            index += 1;
        }
        group += 1;
    }
    table
}

/// FNV-1a, because it is fed byte by byte while the text is scanned.
#[derive(Clone, Copy)]
pub struct Hash(u32);

impl Hash {
    /// Of nothing yet.
    pub const START: Self = Self(0x811c_9dc5);

    /// With one more byte.
    pub const fn with(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u32).wrapping_mul(0x0100_0193))
    }

    const fn of(bytes: &[u8]) -> Self {
        let mut hash = Self::START;
        let mut index = 0;
        while index < bytes.len() {
            hash = hash.with(bytes[index]);
            index += 1;
        }
        hash
    }

    const fn slot(self) -> usize {
        (self.0 ^ (self.0 >> 15)) as usize % SLOTS
    }
}

/// Returns the meaning of a lower-case word. A trailing `s` is ignored if the word with it has
/// none.
pub fn sign(word: &[u8], hash: Hash) -> Option<Sign> {
    look_up(word, hash).or_else(|| {
        let singular = word.strip_suffix(b"s").filter(|singular| singular.len() > 2)?;
        look_up(singular, Hash::of(singular))
    })
}

fn look_up(word: &[u8], hash: Hash) -> Option<Sign> {
    let mut slot = hash.slot();
    loop {
        let entry = TABLE.get(slot)?;
        if entry.word.is_empty() {
            return None;
        }
        if entry.word.as_bytes() == word {
            return Some(entry.sign);
        }
        slot = (slot + 1) % SLOTS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_and_stands_once() {
        let mut words: Vec<&str> = WORDS.iter().flat_map(|(_, words)| words.iter().copied()).collect();
        for word in &words {
            assert!(look_up(word.as_bytes(), Hash::of(word.as_bytes())).is_some(), "{word}");
        }
        words.sort_unstable();
        let repeated: Vec<_> = words.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(repeated.is_empty(), "{repeated:?}");
        assert!(words.len() * 2 < SLOTS);
    }

    #[test]
    fn plurals_are_found_and_unknown_words_are_not() {
        let of = |word: &str| sign(word.as_bytes(), Hash::of(word.as_bytes()));
        assert_eq!(of("functions"), Some((Code, 4)));
        assert_eq!(of("lyrics"), Some((Creative, 6)));
        assert_eq!(of("zebra"), None);
    }
}
