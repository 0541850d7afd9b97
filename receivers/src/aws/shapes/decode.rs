//! XML → JSON, by a table.

use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Number, Value};

use super::table::{Field, Root, Table, Type};

/// How deep elements that no table knows may nest.
const DEEPEST: usize = 64;

/// The answer is not what its operation answers.
#[derive(Debug, thiserror::Error)]
pub(in crate::aws) enum Malformed {
    #[error("malformed XML at byte {at}: {reason}")]
    Xml { at: u64, reason: String },
    #[error("malformed JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("no table has the operation {0}")]
    UnknownOperation(String),
}

/// The output of an operation as a JSON object. Without a table the body is JSON already.
pub(in crate::aws) fn decode(
    table: Option<&Table>,
    operation: &str,
    body: &[u8],
) -> Result<Value, Malformed> {
    let Some(table) = table else {
        return Ok(serde_json::from_slice(body)?);
    };
    let unknown = || Malformed::UnknownOperation(operation.to_owned());
    let output = table.operation(operation).ok_or_else(unknown)?;
    let whole = Type::Structure(output.structure);
    if let Root::Field(name) = output.root {
        let field = table.structure(output.structure).named(name);
        let field = field.ok_or_else(unknown)?;
        let value = match field.kind {
            // S3 gives a bucket's policy as it is, and its region in an element.
            Type::Text if !body.starts_with(b"<") => {
                String::from_utf8_lossy(body).into_owned().into()
            }
            _ => Decoder::new(table, body).root(None, &field.kind)?,
        };
        return Ok(Map::from_iter([(name.to_owned(), value)]).into());
    }
    let within = match output.root {
        Root::Within(element) => Some(element),
        _ => None,
    };
    Decoder::new(table, body).root(within, &whole)
}

struct Decoder<'a> {
    table: &'a Table,
    reader: Reader<&'a [u8]>,
}

/// What comes next within an element.
enum Next {
    /// A child begins: its name.
    Child(String),
    Text(String),
    End,
}

impl<'a> Decoder<'a> {
    fn new(table: &'a Table, body: &'a [u8]) -> Decoder<'a> {
        let mut reader = Reader::from_reader(body);
        reader.config_mut().expand_empty_elements = true;
        Decoder { table, reader }
    }

    /// The value of the outermost element, or of the one within it.
    fn root(&mut self, within: Option<&str>, kind: &Type) -> Result<Value, Malformed> {
        loop {
            match self.next()? {
                Next::Child(_) => break,
                Next::Text(_) => {}
                Next::End => return Err(self.malformed("it has no element")),
            }
        }
        let Some(within) = within else {
            return self.value(kind);
        };
        loop {
            match self.next()? {
                Next::Child(name) if name == within => return self.value(kind),
                Next::Child(_) => {
                    self.unknown(0)?;
                }
                Next::Text(_) => {}
                Next::End => return Err(self.malformed(&format!("it has no {within}"))),
            }
        }
    }

    /// The value of the element that has begun, up to its end.
    fn value(&mut self, kind: &Type) -> Result<Value, Malformed> {
        Ok(match kind {
            Type::Structure(number) => self.structure(*number)?,
            Type::List(of) | Type::Flat(of) => self.list(of)?,
            Type::Map { key, value, of } => self.map(key, value, of)?,
            Type::Text => self.text()?.into(),
            Type::Int => number(self.text()?, |text| {
                text.parse().ok().map(Number::from_i128)?
            }),
            Type::Double => number(self.text()?, |text| Number::from_f64(text.parse().ok()?)),
            Type::Bool => match self.text()?.as_str() {
                "true" => true.into(),
                "false" => false.into(),
                other => other.into(),
            },
        })
    }

    fn structure(&mut self, number: usize) -> Result<Value, Malformed> {
        let mut object = Map::new();
        let structure = self.table.structure(number);
        loop {
            let name = match self.next()? {
                Next::Child(name) => name,
                Next::Text(_) => continue,
                Next::End => return Ok(object.into()),
            };
            match structure.field(&name) {
                Some(Field {
                    name,
                    kind: Type::Flat(of),
                }) => {
                    let value = self.value(of)?;
                    let list = object
                        .entry(*name)
                        .or_insert_with(|| Value::Array(Vec::new()));
                    list.as_array_mut().expect("only this makes it").push(value);
                }
                Some(Field { name, kind }) => {
                    let value = self.value(kind)?;
                    object.insert((*name).to_owned(), value);
                }
                None => {
                    let value = self.unknown(0)?;
                    object.insert(in_upper_case(&name), value);
                }
            }
        }
    }

    fn list(&mut self, of: &Type) -> Result<Value, Malformed> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Next::Child(_) => items.push(self.value(of)?),
                Next::Text(_) => {}
                Next::End => return Ok(items.into()),
            }
        }
    }

    fn map(&mut self, key: &str, value: &str, of: &Type) -> Result<Value, Malformed> {
        let mut object = Map::new();
        loop {
            match self.next()? {
                Next::Child(_) => {}
                Next::Text(_) => continue,
                Next::End => return Ok(object.into()),
            }
            let (mut name, mut what) = (String::new(), Value::Null);
            loop {
                match self.next()? {
                    Next::Child(child) if child == key => name = self.text()?,
                    Next::Child(child) if child == value => what = self.value(of)?,
                    Next::Child(_) => {
                        self.unknown(0)?;
                    }
                    Next::Text(_) => {}
                    Next::End => break,
                }
            }
            object.insert(name, what);
        }
    }

    fn text(&mut self) -> Result<String, Malformed> {
        let mut all = String::new();
        loop {
            match self.next()? {
                Next::Text(text) if all.is_empty() => all = text,
                Next::Text(text) => all.push_str(&text),
                Next::Child(_) => {
                    self.unknown(0)?;
                }
                Next::End => return Ok(all),
            }
        }
    }

    /// What no table knows: elements called `item`, `member` or alike are a list, others an object.
    fn unknown(&mut self, depth: usize) -> Result<Value, Malformed> {
        if depth > DEEPEST {
            return Err(self.malformed("elements nest too deep"));
        }
        let (mut text, mut object, mut items) = (String::new(), Map::new(), Vec::new());
        loop {
            match self.next()? {
                Next::Child(name) if matches!(name.as_str(), "item" | "member") => {
                    items.push(self.unknown(depth + 1)?);
                }
                Next::Child(name) => {
                    let value = self.unknown(depth + 1)?;
                    object.insert(in_upper_case(&name), value);
                }
                Next::Text(more) => text.push_str(&more),
                Next::End if !items.is_empty() => return Ok(items.into()),
                Next::End if !object.is_empty() => return Ok(object.into()),
                Next::End => return Ok(text.into()),
            }
        }
    }

    fn next(&mut self) -> Result<Next, Malformed> {
        loop {
            let event = self.reader.read_event();
            match event.map_err(|error| self.malformed(&error.to_string()))? {
                Event::Start(start) => {
                    let name = start.local_name();
                    return Ok(Next::Child(name.as_ref().to_owned()));
                }
                Event::End(_) => return Ok(Next::End),
                Event::Eof => return Err(self.malformed("it ends within an element")),
                Event::Text(text) => {
                    let text = text.xml_content(XmlVersion::Implicit1_0);
                    return Ok(Next::Text(text.into_owned()));
                }
                Event::CData(data) => {
                    return Ok(Next::Text(data.to_string()));
                }
                Event::GeneralRef(reference) => {
                    let char = reference.resolve_char_ref().ok().flatten();
                    let text = char.map(String::from).or_else(|| {
                        quick_xml::escape::resolve_predefined_entity(&reference).map(str::to_owned)
                    });
                    let text = text.ok_or_else(|| self.malformed("an entity is not known"))?;
                    return Ok(Next::Text(text));
                }
                Event::Empty(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_) => {}
            }
        }
    }

    fn malformed(&self, reason: &str) -> Malformed {
        Malformed::Xml {
            at: self.reader.buffer_position(),
            reason: reason.to_owned(),
        }
    }
}

/// A number that cannot be read stays the text that it is.
fn number(text: String, read: impl FnOnce(&str) -> Option<Number>) -> Value {
    read(text.trim()).map_or_else(|| Value::String(text), Value::Number)
}

fn in_upper_case(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
