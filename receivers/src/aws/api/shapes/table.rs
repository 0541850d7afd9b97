//! The names and types of the fields in one service's responses.

use std::collections::HashMap;
use std::sync::LazyLock;

/// One service's table.
#[derive(Debug, Default)]
pub(in crate::aws) struct ShapeTable {
    operations: HashMap<&'static str, ShapeOperation>,
    structures: Vec<Structure>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct ShapeOperation {
    pub(super) structure: usize,
    pub(super) root: Root,
}

/// Where in a response the structure begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// At the outermost element.
    Whole,
    /// At this element within the outermost one.
    Within(&'static str),
    /// The whole response is the value of this field.
    Field(&'static str),
}

/// Fields by the name of their element.
#[derive(Debug, Default)]
pub(super) struct Structure {
    fields: HashMap<&'static str, ShapeField>,
}

#[derive(Debug)]
pub(super) struct ShapeField {
    pub(super) name: &'static str,
    pub(super) kind: ShapeType,
}

#[derive(Clone, Debug)]
pub(super) enum ShapeType {
    Text,
    Int,
    Double,
    Bool,
    List(Box<ShapeType>),
    /// A list whose elements are not wrapped in an element of their own.
    Flat(Box<ShapeType>),
    Map {
        key: &'static str,
        value: &'static str,
        of: Box<ShapeType>,
    },
    Structure(usize),
}

macro_rules! tables {
    ($($constant:ident $file:literal)+) => { $(
        static $constant: LazyLock<ShapeTable> = LazyLock::new(|| ShapeTable::parse(include_str!($file)));
    )+ };
}
tables! {
    AUTOSCALING "autoscaling.txt"
    EC2 "ec2.txt"
    ELB "elasticloadbalancingv2.txt"
    IAM "iam.txt"
    RDS "rds.txt"
    ROUTE53 "route53.txt"
    S3 "s3.txt"
    STS "sts.txt"
}

impl ShapeTable {
    /// The table of a service, by the service's name in ARNs; none where the responses are JSON.
    pub(in crate::aws) fn of(service: &str) -> Option<&'static ShapeTable> {
        Some(match service {
            "autoscaling" => &AUTOSCALING,
            "ec2" => &EC2,
            "elasticloadbalancing" => &ELB,
            "iam" => &IAM,
            "rds" => &RDS,
            "route53" => &ROUTE53,
            "s3" => &S3,
            "sts" => &STS,
            _ => return None,
        })
    }

    pub(super) fn operation(&self, name: &str) -> Option<ShapeOperation> {
        self.operations.get(name).copied()
    }

    pub(super) fn structure(&self, number: usize) -> &Structure {
        &self.structures[number]
    }

    fn parse(text: &'static str) -> ShapeTable {
        let lines = || text.lines().filter(|line| !line.starts_with('#'));
        let names = lines().filter(|line| !line.starts_with([' ', '>']));
        let numbers: HashMap<&str, usize> =
            names.enumerate().map(|(at, name)| (name, at)).collect();
        let mut table = ShapeTable::default();
        for line in lines() {
            let mut words = line.split_ascii_whitespace();
            let mut word = || words.next().unwrap_or_default();
            match line.as_bytes().first() {
                Some(b'>') => {
                    let (_, name, structure) = (word(), word(), word());
                    let root = match word() {
                        "" => Root::Whole,
                        field if field.starts_with('.') => Root::Field(&field[1..]),
                        element => Root::Within(element),
                    };
                    let structure = numbers[structure];
                    table
                        .operations
                        .insert(name, ShapeOperation { structure, root });
                }
                Some(b' ') => {
                    let (name, element) = (word(), word());
                    let kind = ShapeType::parse(&mut words, &numbers);
                    let fields = table.structures.last_mut().map(|last| &mut last.fields);
                    fields
                        .expect("a table names a structure before its fields")
                        .insert(element, ShapeField { name, kind });
                }
                _ => table.structures.push(Structure::default()),
            }
        }
        table
    }
}

impl Structure {
    pub(super) fn field(&self, element: &str) -> Option<&ShapeField> {
        self.fields.get(element)
    }

    /// Finds a field by its name in the API.
    pub(super) fn named(&self, name: &str) -> Option<&ShapeField> {
        self.fields.values().find(|field| field.name == name)
    }
}

impl ShapeType {
    /// Parses a type from the next words.
    fn parse(
        words: &mut std::str::SplitAsciiWhitespace<'static>,
        numbers: &HashMap<&str, usize>,
    ) -> ShapeType {
        let word = words.next().unwrap_or_default();
        match word.as_bytes() {
            b"s" => ShapeType::Text,
            b"i" => ShapeType::Int,
            b"d" => ShapeType::Double,
            b"b" => ShapeType::Bool,
            [b'[', ..] => ShapeType::List(Box::new(ShapeType::parse(words, numbers))),
            [b'{', ..] => ShapeType::Map {
                key: &word[1..],
                value: words.next().unwrap_or_default(),
                of: Box::new(ShapeType::parse(words, numbers)),
            },
            b"*" => ShapeType::Flat(Box::new(ShapeType::parse(words, numbers))),
            _ => ShapeType::Structure(numbers[word]),
        }
    }
}
