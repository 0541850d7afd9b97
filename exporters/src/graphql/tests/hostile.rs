//! Tests that every expensive document gets a response fast and with little memory, whether an error or data.
//!
//! `PROPTEST_CASES` sets the number of documents; the default is 300.

use std::fmt::Write;
use std::time::{Duration, Instant};

use async_graphql::{Executor, Request, Variables};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value as Json, json};

use super::Shop;

/// The maximum time for one document in a debug build on a busy machine. In a release build, the slowest document takes
/// 40 ms.
const MAX_TIME: Duration = Duration::from_secs(5);

/// The size in bytes at which a document stops growing: above the limit of a request.
const MAX_BYTES: usize = 512 << 10;

fn cases() -> u64 {
    let cases = std::env::var("PROPTEST_CASES").ok();
    cases.and_then(|cases| cases.parse().ok()).unwrap_or(300)
}

/// Generates one document. Its counts are small, near a limit or far beyond it.
struct Generator {
    random: StdRng,
    /// The largest count in this document.
    scale: u32,
}

impl Generator {
    fn new(seed: u64) -> Generator {
        let mut random = StdRng::seed_from_u64(seed);
        let scale = [3, 10, 40, 70, 500, 3_000][random.random_range(0..6)];
        Generator { random, scale }
    }

    fn up_to(&mut self, max: u32) -> u32 {
        self.random.random_range(0..=max)
    }

    fn size(&mut self) -> u32 {
        self.up_to(self.scale)
    }

    fn request(&mut self) -> Request {
        let mut query = match self.up_to(14) {
            0 => self.expansion(),
            1 => self.cycle(),
            2 => self.flood("a{}: __typename "),
            3 => self.flood("x: a{} "),
            4 => self.flood("a{}: node(uid: $v) { uid label } "),
            5 => self.flood("__typename @skip(if: false) @include(if: $b) @d{} "),
            6 => self.deep(),
            7 => self.overlap(),
            8 => self.introspection(),
            9 => self.operations(),
            10 => self.words(),
            11 => self.flood("w{}: neighbors(uid: $v, depth: 5, first: 1) { truncated } "),
            12 => self.flood("p{}: path(from: $v, to: $v, maxDepth: 10) { nodes { uid } } "),
            13 => self.flood("s{}: search(text: $v, first: 1) { hits { value } } "),
            _ => self.random_tokens(),
        };
        if self.up_to(9) == 0 {
            let mut end = self.up_to(query.len() as u32) as usize;
            while !query.is_char_boundary(end) {
                end -= 1;
            }
            query.truncate(end);
        }
        let variables = Variables::from_json(self.variables());
        Request::new(query).variables(variables)
    }

    fn expansion(&mut self) -> String {
        let (fragments, spreads) = (1 + self.size().min(300), 1 + self.up_to(8));
        let mut query = "{ ...F0 }".to_owned();
        for at in 0..fragments {
            let spread = format!("...F{} ", at + 1).repeat(spreads as usize);
            let _ = write!(
                query,
                " fragment F{at} on Query {{ a{at}: __typename {spread} }}"
            );
        }
        query + &format!(" fragment F{fragments} on Query {{ __typename }}")
    }

    fn cycle(&mut self) -> String {
        let fragments = 1 + self.size();
        let mut query = "{ ...F0 }".to_owned();
        for at in 0..fragments {
            let next = self.up_to(fragments);
            let _ = write!(
                query,
                " fragment F{at} on Query {{ ... {{ ...F{next} ...F{} }} }}",
                at + 1
            );
        }
        query
    }

    fn flood(&mut self, selection: &str) -> String {
        let count = self.size();
        let selections: String = (0..count)
            .map(|at| selection.replace("{}", &at.to_string()))
            .collect();
        format!("query ($v: String!, $b: Boolean) {{ {selections} }}")
    }

    fn deep(&mut self) -> String {
        let depth = self.size() as usize;
        let (open, close) =
            [("{ a ", "}"), ("{ ... ", "}"), ("[", "]"), ("{a: ", "}")][self.up_to(3) as usize];
        let nested = open.repeat(depth) + "1" + &close.repeat(depth);
        match self.up_to(3) {
            0 => nested,
            1 => format!("{{ nodes(filter: {nested}) {{ uid }} }}"),
            2 => format!("query ($v: {nested} = {nested}) {{ node(uid: $v) {{ uid }} }}"),
            _ => format!("{{ __typename @skip(if: {nested}) }}"),
        }
    }

    /// Fields with the same response name in many selection sets, which validation compares.
    fn overlap(&mut self) -> String {
        let (depth, width) = (self.size().min(30) as usize, self.size());
        let list = "1 ".repeat(self.size() as usize);
        let fields: String = (0..width)
            .map(|at| format!("x: node(uid: [{list}] a{}: 1) {{ uid }} ", at % 40))
            .collect();
        format!(
            "{{ {} {fields} {} }}",
            "... {".repeat(depth),
            "}".repeat(depth)
        )
    }

    fn introspection(&mut self) -> String {
        let mut query = "name ".repeat(1 + self.size() as usize);
        for _ in 0..self.up_to(7) {
            if query.len() > MAX_BYTES {
                break;
            }
            let name =
                ["fields", "type", "ofType", "args", "possibleTypes"][self.up_to(4) as usize];
            let aliases = 1 + self.up_to(5);
            let inner = query.clone();
            query = (0..aliases)
                .map(|at| format!("b{at}: {name} {{ {inner} }} "))
                .collect();
        }
        format!("{{ __schema {{ types {{ {query} }} }} }}")
    }

    fn operations(&mut self) -> String {
        let count = self.size();
        let fields = "__typename ".repeat(self.size().min(50) as usize + 1);
        let mut query = format!("fragment F on Query {{ {fields} node(uid: $a) {{ uid }} }} ");
        for at in 0..count {
            let _ = write!(query, "query Q{at}($a: String, $b{at}: Int) {{ ...F }} ");
        }
        query
    }

    /// Long names, strings, comments and whitespace.
    fn words(&mut self) -> String {
        let long = "w".repeat((self.size() * 20) as usize);
        match self.up_to(5) {
            0 => format!("{{ {long} }}"),
            1 => format!("{{ node(uid: \"{long}\") {{ uid }} }}"),
            2 => format!("{{ node(uid: \"\"\"{long}\n {long}\"\"\") {{ uid }} }}"),
            3 => format!("{{ #{long}\n __typename{} }}", "\n, ".repeat(long.len())),
            4 => format!(
                "{{ nodes(first: {}) {{ edges {{ cursor }} }} }}",
                "9".repeat(long.len() + 1)
            ),
            _ => format!(
                "{{ {} }}",
                format!("{:w<100} ", "nod").repeat(self.size() as usize)
            ),
        }
    }

    fn random_tokens(&mut self) -> String {
        const TOKENS: [&str; 30] = [
            "{",
            "}",
            "{",
            "}",
            "(",
            ")",
            "[",
            "]",
            ":",
            "$",
            "@",
            "!",
            "=",
            "...",
            "...",
            "on",
            "query",
            "fragment",
            "subscription",
            "node",
            "nodes",
            "uid",
            "Query",
            "F",
            "1",
            "-1.5e9",
            "\"a\"",
            "\"\"\"b\"\"\"",
            "\"",
            "#c\n",
        ];
        let count = self.size() * 3;
        (0..count)
            .map(|_| TOKENS[self.up_to(29) as usize].to_owned() + " ")
            .collect()
    }

    fn variables(&mut self) -> Json {
        let length = (self.size() * 20) as usize;
        let value = match self.up_to(3) {
            0 => json!("sg-1"),
            1 => json!("v".repeat(length)),
            2 => json!(vec![json!([]); length]),
            _ => (0..self.size().min(100)).fold(json!(1), |inner, _| json!([inner])),
        };
        json!({"v": value, "b": true})
    }
}

/// The resident memory of this process, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or_default() << 10
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_document_gets_a_response_fast() {
    let shop = Shop::new().await;
    let before = resident();
    let (mut slowest, mut rejected, mut largest) = ((Duration::ZERO, 0), 0, 0);
    for seed in 0..cases() {
        let request = Generator::new(seed).request();
        let start = Instant::now();
        let response = shop.schema.execute(request).await;
        let took = start.elapsed();
        assert!(took < MAX_TIME, "seed {seed} took {took:?}");
        let error = response.errors.first();
        let panicked = error.is_some_and(|error| error.message.contains("panicked"));
        assert!(!panicked, "seed {seed}");
        slowest = slowest.max((took, seed));
        rejected += u64::from(!response.errors.is_empty());
        largest = largest.max(serde_json::to_string(&response).unwrap().len());
    }
    let grown = resident().saturating_sub(before);
    println!(
        "{} documents, {rejected} with errors; slowest {slowest:?}; largest response {largest} bytes; \
         resident {before} bytes before, {grown} more after",
        cases()
    );
    assert!(grown < 256 << 20, "resident memory grew by {grown} bytes");
}

/// Documents just within the limits. Each is a worst case for the parser or for one rule of validation.
fn at_the_limits() -> Vec<(&'static str, String)> {
    let numbered = |count: usize, write: &dyn Fn(usize) -> String| -> String {
        (0..count).map(write).collect()
    };
    let long = |at: usize| format!("{at:x<120}");
    let conflicts = "x: uid x: kind ".repeat(480);
    let inside = |depth: usize, inner: &str| {
        format!("{}{inner}{}", "... { ".repeat(depth), "}".repeat(depth))
    };
    let arguments = numbered(32, &|at| format!("argument{at}: $v "));
    let spreads = "...F ".repeat(990);
    let list = "{a: [1 2]} ".repeat(600);
    vec![
        (
            "unknown fields",
            format!("{{ {} }}", numbered(4_990, &|at| format!("nodeOfTy{at} "))),
        ),
        (
            "unknown fields of a node",
            format!(
                "{{ node(uid: \"a\") {{ {} }} }}",
                numbered(4_900, &|at| format!("confirat{at} "))
            ),
        ),
        (
            "long unknown fields",
            format!("{{ {} }}", numbered(530, &|at| format!("_{} ", long(at)))),
        ),
        (
            "unknown arguments",
            format!(
                "query ($v: Int) {{ {} }}",
                format!("node({arguments}) {{ uid }} ").repeat(36)
            ),
        ),
        (
            "unknown types",
            format!(
                "{{ {} }}",
                numbered(700, &|at| format!("... on Nod{at} {{ a }} "))
            ),
        ),
        (
            "conflicts",
            format!("{{ node(uid: \"a\") {{ {} }} }}", inside(19, &conflicts)),
        ),
        (
            "spreads",
            format!(
                "{{ {spreads} }} fragment F on Query {{ {} }}",
                "__typename ".repeat(8)
            ),
        ),
        ("operations", {
            let operations = numbered(180, &|at| {
                format!("query Q{at}($a: Int, $b: Int) {{ ...F }} ")
            });
            operations
                + &format!(
                    "fragment F on Query {{ {} }}",
                    "node(uid: $u) { uid } ".repeat(20)
                )
        }),
        ("variables", {
            let defined = numbered(100, &|at| format!("$v{at}: Int "));
            let uses = numbered(440, &|at| {
                format!("nodes(first: $v{}) {{ total }} ", at % 100)
            });
            format!("query ({defined}) {{ {uses} }}")
        }),
        (
            "values",
            format!("{{ nodes(filter: [{list}]) {{ total }} }}"),
        ),
        (
            "introspection",
            format!(
                "{{ __schema {{ types {{ fields {{ {} }} }} }} }}",
                "name ".repeat(160)
            ),
        ),
        (
            "introspection with aliases",
            format!(
                "{{ __schema {{ types {{ fields {{ {} }} }} }} }}",
                numbered(160, &|at| format!("a{at}: description "))
            ),
        ),
        ("blanks", format!("{{ __typename{} }}", " ".repeat(65_000))),
        (
            "comments",
            format!("{{ __typename{} }}", "#\n".repeat(32_000)),
        ),
        (
            "a string",
            format!("{{ node(uid: \"{}\") {{ uid }} }}", "\\n".repeat(32_000)),
        ),
        (
            "a block string",
            format!(
                "{{ node(uid: \"\"\"{}\"\"\") {{ uid }} }}",
                "\n".repeat(65_000)
            ),
        ),
        (
            "directives",
            format!("{{ __typename {} }}", "@skip(if: true) ".repeat(700)),
        ),
        (
            "root fields",
            format!("{{ {} }}", "__typename ".repeat(4_990)),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_at_the_limits_get_a_response_fast() {
    let shop = Shop::new().await;
    let mut over_limit = Vec::new();
    for (name, query) in at_the_limits() {
        let start = Instant::now();
        let response = shop.schema.execute(Request::new(query)).await;
        let took = start.elapsed();
        let bytes = serde_json::to_string(&response).unwrap().len();
        let error = response.errors.first().map(|error| error.message.clone());
        println!("{name}: {took:?}, {bytes} bytes, {error:?}");
        assert!(took < MAX_TIME, "{name} took {took:?}");
        if error.is_some_and(|error| error.contains("the limit is")) {
            over_limit.push(name);
        }
    }
    assert_eq!(over_limit, [""; 0], "these documents exceed a limit");
}
