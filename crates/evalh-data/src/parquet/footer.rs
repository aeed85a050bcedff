//! A file's footer: `FileMetaData` of the format's Thrift definition.

use super::{
    Trouble,
    thrift::{Kind, Reader},
};

/// What a footer says.
#[derive(Debug, Default)]
pub(super) struct Footer {
    pub(super) schema: Vec<Element>,
    pub(super) rows: u64,
    pub(super) row_groups: Vec<RowGroup>,
}

/// A node of the schema, listed parents first.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    /// The physical type's number; groups have none.
    pub(super) physical: Option<i32>,
    /// 0: required, 1: optional, 2: repeated; the root may have none.
    pub(super) repetition: Option<i32>,
    pub(super) children: usize,
    /// The converted type's number, by older writers.
    pub(super) converted: Option<i32>,
    /// The number of the logical type's union.
    pub(super) logical: Option<Logical>,
}

/// A logical type: its number, and of an integer whether it has a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Logical {
    pub(super) id: i16,
    pub(super) signed: bool,
}

/// Some of the rows, column by column.
#[derive(Debug, Default)]
pub(super) struct RowGroup {
    pub(super) chunks: Vec<Chunk>,
    pub(super) rows: usize,
}

/// A column of a row group.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// The name of its place in the schema.
    pub(super) path: Vec<String>,
    /// Whether its bytes are in another file or encrypted.
    pub(super) elsewhere: bool,
    pub(super) codec: i32,
    /// Its entries: values and what stands for missing ones.
    pub(super) entries: usize,
    /// Its length in the file.
    pub(super) length: usize,
    pub(super) data_offset: usize,
    pub(super) dictionary_offset: Option<usize>,
}

impl Footer {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Trouble> {
        let mut footer = Self::default();
        let mut encrypted = false;
        Reader::new(bytes).fields(|reader, id, kind| {
            match id {
                2 => footer.schema = reader.structs(kind, element)?,
                3 => footer.rows = reader.count(kind)? as u64,
                4 => footer.row_groups = reader.structs(kind, row_group)?,
                8 => {
                    encrypted = true;
                    return Ok(false);
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        if encrypted {
            return Err(Trouble::Unsupported("it is encrypted".to_owned()));
        }
        Ok(footer)
    }
}

fn element(reader: &mut Reader<'_>) -> Result<Element, String> {
    let mut element = Element::default();
    reader.fields(|reader, id, kind| {
        match id {
            1 => element.physical = Some(reader.i32(kind)?),
            3 => element.repetition = Some(reader.i32(kind)?),
            4 => reader.text(kind)?.clone_into(&mut element.name),
            5 => element.children = reader.count(kind)?,
            6 => element.converted = Some(reader.i32(kind)?),
            10 if kind == Kind::Struct => element.logical = logical(reader)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(element)
}

/// The union's one field; `INTEGER` (10) has a struct with the sign in its second field.
fn logical(reader: &mut Reader<'_>) -> Result<Option<Logical>, String> {
    let mut logical = None;
    reader.fields(|reader, id, kind| {
        let mut signed = true;
        let integer = id == 10 && kind == Kind::Struct;
        if integer {
            reader.fields(|_, id, kind| {
                signed &= !(id == 2 && kind == Kind::False);
                Ok(false)
            })?;
        }
        logical = Some(Logical { id, signed });
        Ok(integer)
    })?;
    Ok(logical)
}

fn row_group(reader: &mut Reader<'_>) -> Result<RowGroup, String> {
    let mut group = RowGroup::default();
    reader.fields(|reader, id, kind| {
        match id {
            1 => group.chunks = reader.structs(kind, chunk)?,
            3 => group.rows = reader.count(kind)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(group)
}

fn chunk(reader: &mut Reader<'_>) -> Result<Chunk, String> {
    let mut chunk = Chunk::default();
    let (mut described, mut elsewhere) = (false, false);
    reader.fields(|reader, id, kind| {
        match id {
            3 if kind == Kind::Struct => {
                described = true;
                reader.fields(|reader, id, kind| description(&mut chunk, reader, id, kind))?;
            }
            // A path to another file, or keys.
            1 | 8 | 9 => {
                elsewhere = true;
                return Ok(false);
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    chunk.elsewhere = elsewhere;
    if described || elsewhere {
        Ok(chunk)
    } else {
        Err("its footer has a column without a description".to_owned())
    }
}

/// A field of `ColumnMetaData`.
fn description(
    chunk: &mut Chunk,
    reader: &mut Reader<'_>,
    id: i16,
    kind: Kind,
) -> Result<bool, String> {
    match id {
        3 => {
            let path = reader.texts(kind)?;
            chunk.path = path.into_iter().map(str::to_owned).collect();
        }
        4 => chunk.codec = reader.i32(kind)?,
        5 => chunk.entries = reader.count(kind)?,
        7 => chunk.length = reader.count(kind)?,
        9 => chunk.data_offset = reader.count(kind)?,
        11 => chunk.dictionary_offset = Some(reader.count(kind)?),
        _ => return Ok(false),
    }
    Ok(true)
}
