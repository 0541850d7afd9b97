//! Decodes XML into JSON by a table.

use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Number, Value};

use super::table::{Root, ShapeField, ShapeTable, ShapeType};

/// The maximum nesting of elements that are not in the table.
const MAX_DEPTH: usize = 64;

/// A response that does not have the format of its operation.
#[derive(Debug, thiserror::Error)]
pub(in crate::aws) enum MalformedResponse {
    #[error("malformed XML at byte {at}: {reason}")]
    Xml { at: u64, reason: String },
    #[error("malformed JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("operation {0} is in no table")]
    UnknownOperation(String),
}

/// Decodes the response of an operation into a JSON object. A service without a table responds in JSON.
pub(in crate::aws) fn decode(
    table: Option<&ShapeTable>,
    operation: &str,
    body: &[u8],
) -> Result<Value, MalformedResponse> {
    let Some(table) = table else {
        return Ok(serde_json::from_slice(body)?);
    };
    let unknown = || MalformedResponse::UnknownOperation(operation.to_owned());
    let output = table.operation(operation).ok_or_else(unknown)?;
    let whole = ShapeType::Structure(output.structure);
    if let Root::Field(name) = output.root {
        let field = table.structure(output.structure).field_by_api_name(name);
        let field = field.ok_or_else(unknown)?;
        let value = match field.kind {
            // S3 returns a bucket's policy as plain text, but its region in an element.
            ShapeType::Text if !body.starts_with(b"<") => {
                String::from_utf8_lossy(body).into_owned().into()
            }
            _ => XmlDecoder::new(table, body).root(None, &field.kind)?,
        };
        return Ok(Map::from_iter([(name.to_owned(), value)]).into());
    }
    let within = match output.root {
        Root::Within(element) => Some(element),
        _ => None,
    };
    XmlDecoder::new(table, body).root(within, &whole)
}

struct XmlDecoder<'a> {
    table: &'a ShapeTable,
    reader: Reader<&'a [u8]>,
}

/// The next part of an element's content.
enum XmlToken {
    /// The start of a child element of this name.
    Child(String),
    Text(String),
    End,
}

impl<'a> XmlDecoder<'a> {
    fn new(table: &'a ShapeTable, body: &'a [u8]) -> XmlDecoder<'a> {
        let mut reader = Reader::from_reader(body);
        reader.config_mut().expand_empty_elements = true;
        XmlDecoder { table, reader }
    }

    /// Decodes the outermost element, or the element of this name within it.
    fn root(&mut self, within: Option<&str>, kind: &ShapeType) -> Result<Value, MalformedResponse> {
        loop {
            match self.next()? {
                XmlToken::Child(_) => break,
                XmlToken::Text(_) => {}
                XmlToken::End => return Err(self.malformed("no element")),
            }
        }
        let Some(within) = within else {
            return self.value(kind);
        };
        loop {
            match self.next()? {
                XmlToken::Child(name) if name == within => return self.value(kind),
                XmlToken::Child(_) => {
                    self.unknown(0)?;
                }
                XmlToken::Text(_) => {}
                XmlToken::End => return Err(self.malformed(&format!("no element {within}"))),
            }
        }
    }

    /// Decodes the current element up to its end.
    fn value(&mut self, kind: &ShapeType) -> Result<Value, MalformedResponse> {
        Ok(match kind {
            ShapeType::Structure(number) => self.structure(*number)?,
            ShapeType::List(item) | ShapeType::Flat(item) => self.list(item)?,
            ShapeType::Map {
                key,
                value,
                value_type,
            } => self.map(key, value, value_type)?,
            ShapeType::Text => self.text()?.into(),
            ShapeType::Int => number(self.text()?, |text| {
                text.parse().ok().map(Number::from_i128)?
            }),
            ShapeType::Double => number(self.text()?, |text| Number::from_f64(text.parse().ok()?)),
            ShapeType::Bool => match self.text()?.as_str() {
                "true" => true.into(),
                "false" => false.into(),
                other => other.into(),
            },
        })
    }

    fn structure(&mut self, number: usize) -> Result<Value, MalformedResponse> {
        let mut object = Map::new();
        let structure = self.table.structure(number);
        loop {
            let name = match self.next()? {
                XmlToken::Child(name) => name,
                XmlToken::Text(_) => continue,
                XmlToken::End => return Ok(object.into()),
            };
            match structure.field(&name) {
                Some(ShapeField {
                    name,
                    kind: ShapeType::Flat(item),
                }) => {
                    let value = self.value(item)?;
                    let list = object
                        .entry(*name)
                        .or_insert_with(|| Value::Array(Vec::new()));
                    list.as_array_mut()
                        .expect("only this branch inserts the list")
                        .push(value);
                }
                Some(ShapeField { name, kind }) => {
                    let value = self.value(kind)?;
                    object.insert((*name).to_owned(), value);
                }
                None => {
                    let value = self.unknown(0)?;
                    object.insert(capitalize(&name), value);
                }
            }
        }
    }

    fn list(&mut self, item: &ShapeType) -> Result<Value, MalformedResponse> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                XmlToken::Child(_) => items.push(self.value(item)?),
                XmlToken::Text(_) => {}
                XmlToken::End => return Ok(items.into()),
            }
        }
    }

    fn map(
        &mut self,
        key: &str,
        value: &str,
        value_type: &ShapeType,
    ) -> Result<Value, MalformedResponse> {
        let mut object = Map::new();
        loop {
            match self.next()? {
                XmlToken::Child(_) => {}
                XmlToken::Text(_) => continue,
                XmlToken::End => return Ok(object.into()),
            }
            let (mut name, mut entry) = (String::new(), Value::Null);
            loop {
                match self.next()? {
                    XmlToken::Child(child) if child == key => name = self.text()?,
                    XmlToken::Child(child) if child == value => entry = self.value(value_type)?,
                    XmlToken::Child(_) => {
                        self.unknown(0)?;
                    }
                    XmlToken::Text(_) => {}
                    XmlToken::End => break,
                }
            }
            object.insert(name, entry);
        }
    }

    fn text(&mut self) -> Result<String, MalformedResponse> {
        let mut all = String::new();
        loop {
            match self.next()? {
                XmlToken::Text(text) if all.is_empty() => all = text,
                XmlToken::Text(text) => all.push_str(&text),
                XmlToken::Child(_) => {
                    self.unknown(0)?;
                }
                XmlToken::End => return Ok(all),
            }
        }
    }

    /// Decodes an element that is not in the table. It becomes a list if it has children `item` or `member`, an object
    /// if it has only other children, and a text if it has no children.
    fn unknown(&mut self, depth: usize) -> Result<Value, MalformedResponse> {
        if depth > MAX_DEPTH {
            return Err(self.malformed("elements nest too deep"));
        }
        let (mut text, mut object, mut items) = (String::new(), Map::new(), Vec::new());
        loop {
            match self.next()? {
                XmlToken::Child(name) if matches!(name.as_str(), "item" | "member") => {
                    items.push(self.unknown(depth + 1)?);
                }
                XmlToken::Child(name) => {
                    let value = self.unknown(depth + 1)?;
                    object.insert(capitalize(&name), value);
                }
                XmlToken::Text(more) => text.push_str(&more),
                XmlToken::End if !items.is_empty() => return Ok(items.into()),
                XmlToken::End if !object.is_empty() => return Ok(object.into()),
                XmlToken::End => return Ok(text.into()),
            }
        }
    }

    fn next(&mut self) -> Result<XmlToken, MalformedResponse> {
        loop {
            let event = self.reader.read_event();
            match event.map_err(|error| self.malformed(&error.to_string()))? {
                Event::Start(start) => {
                    let name = start.local_name();
                    return Ok(XmlToken::Child(name.as_ref().to_owned()));
                }
                Event::End(_) => return Ok(XmlToken::End),
                Event::Eof => return Err(self.malformed("unexpected end within an element")),
                Event::Text(text) => {
                    let text = text.xml_content(XmlVersion::Implicit1_0);
                    return Ok(XmlToken::Text(text.into_owned()));
                }
                Event::CData(data) => {
                    return Ok(XmlToken::Text(data.to_string()));
                }
                Event::GeneralRef(reference) => {
                    let char = reference.resolve_char_ref().ok().flatten();
                    let text = char.map(String::from).or_else(|| {
                        quick_xml::escape::resolve_predefined_entity(&reference).map(str::to_owned)
                    });
                    let text = text.ok_or_else(|| self.malformed("unknown entity"))?;
                    return Ok(XmlToken::Text(text));
                }
                Event::Empty(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_) => {}
            }
        }
    }

    fn malformed(&self, reason: &str) -> MalformedResponse {
        MalformedResponse::Xml {
            at: self.reader.buffer_position(),
            reason: reason.to_owned(),
        }
    }
}

/// A number, or the text itself if it is not a number.
fn number(text: String, read: impl FnOnce(&str) -> Option<Number>) -> Value {
    read(text.trim()).map_or_else(|| Value::String(text), Value::Number)
}

fn capitalize(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
