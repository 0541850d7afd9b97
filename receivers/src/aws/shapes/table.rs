//! Names and types of the fields of one service's answers.

use std::collections::HashMap;
use std::sync::LazyLock;

/// One service's table.
#[derive(Debug, Default)]
pub(in crate::aws) struct Table {
    operations: HashMap<&'static str, Operation>,
    structures: Vec<Structure>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    pub(super) structure: usize,
    pub(super) root: Root,
}

/// Where in an answer the structure begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// At the outermost element.
    Whole,
    /// At this element within it.
    Within(&'static str),
    /// The whole answer is this one field.
    Field(&'static str),
}

/// Fields by the name of their element.
#[derive(Debug, Default)]
pub(super) struct Structure {
    fields: HashMap<&'static str, Field>,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Type,
}

#[derive(Clone, Debug)]
pub(super) enum Type {
    Text,
    Int,
    Double,
    Bool,
    List(Box<Type>),
    /// Its elements stand among the fields.
    Flat(Box<Type>),
    Map {
        key: &'static str,
        value: &'static str,
        of: Box<Type>,
    },
    Structure(usize),
}

macro_rules! tables {
    ($($constant:ident $file:literal)+) => { $(
        static $constant: LazyLock<Table> = LazyLock::new(|| Table::parse(include_str!($file)));
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

impl Table {
    /// Of a service by its name in ARNs; none where its answers are JSON already.
    pub(in crate::aws) fn of(service: &str) -> Option<&'static Table> {
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

    pub(super) fn operation(&self, name: &str) -> Option<Operation> {
        self.operations.get(name).copied()
    }

    pub(super) fn structure(&self, number: usize) -> &Structure {
        &self.structures[number]
    }

    fn parse(text: &'static str) -> Table {
        let lines = || text.lines().filter(|line| !line.starts_with('#'));
        let names = lines().filter(|line| !line.starts_with([' ', '>']));
        let numbers: HashMap<&str, usize> =
            names.enumerate().map(|(at, name)| (name, at)).collect();
        let mut table = Table::default();
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
                    table.operations.insert(name, Operation { structure, root });
                }
                Some(b' ') => {
                    let (name, element) = (word(), word());
                    let kind = Type::parse(&mut words, &numbers);
                    let fields = table.structures.last_mut().map(|last| &mut last.fields);
                    fields
                        .expect("a table names a structure before its fields")
                        .insert(element, Field { name, kind });
                }
                _ => table.structures.push(Structure::default()),
            }
        }
        table
    }
}

impl Structure {
    pub(super) fn field(&self, element: &str) -> Option<&Field> {
        self.fields.get(element)
    }

    /// By the name that the API gives it.
    pub(super) fn named(&self, name: &str) -> Option<&Field> {
        self.fields.values().find(|field| field.name == name)
    }
}

impl Type {
    /// Of the words that follow.
    fn parse(
        words: &mut std::str::SplitAsciiWhitespace<'static>,
        numbers: &HashMap<&str, usize>,
    ) -> Type {
        let word = words.next().unwrap_or_default();
        match word.as_bytes() {
            b"s" => Type::Text,
            b"i" => Type::Int,
            b"d" => Type::Double,
            b"b" => Type::Bool,
            [b'[', ..] => Type::List(Box::new(Type::parse(words, numbers))),
            [b'{', ..] => Type::Map {
                key: &word[1..],
                value: words.next().unwrap_or_default(),
                of: Box::new(Type::parse(words, numbers)),
            },
            b"*" => Type::Flat(Box::new(Type::parse(words, numbers))),
            _ => Type::Structure(numbers[word]),
        }
    }
}
