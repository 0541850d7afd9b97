//! The names and types of the fields in the XML responses of a service.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The operations of one service, and the structures in their responses.
#[derive(Debug, Default)]
pub(in crate::aws) struct ShapeTable {
    operations: HashMap<&'static str, ShapeOperation>,
    /// The position of a structure is its number.
    structures: Vec<Structure>,
}

/// The format of an operation's response.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShapeOperation {
    /// The number of the structure, for [`ShapeTable::structure`].
    pub(super) structure: usize,
    pub(super) root: Root,
}

/// How the response contains the structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// The outermost element is the structure.
    Whole,
    /// This child of the outermost element is the structure.
    Within(&'static str),
    /// The whole response is the value of this field of the structure, by its name in the API.
    Field(&'static str),
}

/// The fields of a structure, by the names of their XML elements.
#[derive(Debug, Default)]
pub(super) struct Structure {
    fields: HashMap<&'static str, ShapeField>,
}

#[derive(Debug)]
pub(super) struct ShapeField {
    /// The name in the API.
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
    /// A list without an XML element around its items.
    Flat(Box<ShapeType>),
    /// A map of entries; `key` and `value` are the names of the two elements of an entry.
    Map {
        key: &'static str,
        value: &'static str,
        value_type: Box<ShapeType>,
    },
    /// The structure with this number.
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
    /// The table of a service, by the service's name in ARNs; `None` if the service responds in JSON.
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

    /// Parses a table in the format that the [module](super) describes.
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
    /// Finds a field by the name of its XML element.
    pub(super) fn field(&self, element: &str) -> Option<&ShapeField> {
        self.fields.get(element)
    }

    /// Finds a field by its name in the API.
    pub(super) fn field_by_api_name(&self, name: &str) -> Option<&ShapeField> {
        self.fields.values().find(|field| field.name == name)
    }
}

impl ShapeType {
    /// Parses a type from the next words of a field's line.
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
                value_type: Box::new(ShapeType::parse(words, numbers)),
            },
            b"*" => ShapeType::Flat(Box::new(ShapeType::parse(words, numbers))),
            _ => ShapeType::Structure(numbers[word]),
        }
    }
}
