//! The values and opcodes of a pickled state dict.
//!
//! The opcodes are those of pickle protocol 2, `torch.save`'s default (CPython, `Lib/pickletools.py`), less the ones that
//! a state dict never needs.

use super::{Fault, refused};
use safetensors::Dtype;

pub(super) mod op {
    pub const PROTO: u8 = 0x80;
    pub const STOP: u8 = b'.';
    pub const MARK: u8 = b'(';
    pub const NONE: u8 = b'N';
    pub const NEW_TRUE: u8 = 0x88;
    pub const NEW_FALSE: u8 = 0x89;
    pub const BIN_INT: u8 = b'J';
    pub const BIN_INT1: u8 = b'K';
    pub const BIN_INT2: u8 = b'M';
    pub const LONG1: u8 = 0x8a;
    pub const BIN_FLOAT: u8 = b'G';
    pub const BIN_UNICODE: u8 = b'X';
    pub const EMPTY_TUPLE: u8 = b')';
    pub const EMPTY_LIST: u8 = b']';
    pub const EMPTY_DICT: u8 = b'}';
    pub const TUPLE: u8 = b't';
    pub const TUPLE1: u8 = 0x85;
    pub const TUPLE2: u8 = 0x86;
    pub const TUPLE3: u8 = 0x87;
    pub const APPEND: u8 = b'a';
    pub const APPENDS: u8 = b'e';
    pub const SET_ITEM: u8 = b's';
    pub const SET_ITEMS: u8 = b'u';
    pub const BIN_PUT: u8 = b'q';
    pub const LONG_BIN_PUT: u8 = b'r';
    pub const BIN_GET: u8 = b'h';
    pub const LONG_BIN_GET: u8 = b'j';
    pub const GLOBAL: u8 = b'c';
    pub const REDUCE: u8 = b'R';
    pub const BUILD: u8 = b'b';
    pub const BIN_PERS_ID: u8 = b'Q';
}

/// A value on the machine's stack. Texts stay in the pickle, compound values in the heap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    Float,
    Text(&'a str),
    Global(Global),
    Object(usize),
}

/// The names that a pickle may refer to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(Dtype),
    /// A `torch.dtype`, as settings beside the weights hold it.
    TorchDtype,
}

impl Global {
    pub(super) fn find(module: &str, name: &str) -> Result<Self, Fault> {
        Ok(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch", "FloatStorage") => Self::Storage(Dtype::F32),
            ("torch", "HalfStorage") => Self::Storage(Dtype::F16),
            ("torch", "BFloat16Storage") => Self::Storage(Dtype::BF16),
            ("torch", "DoubleStorage") => Self::Storage(Dtype::F64),
            ("torch", "LongStorage") => Self::Storage(Dtype::I64),
            ("torch", "IntStorage") => Self::Storage(Dtype::I32),
            ("torch", "ShortStorage") => Self::Storage(Dtype::I16),
            ("torch", "CharStorage") => Self::Storage(Dtype::I8),
            ("torch", "ByteStorage") => Self::Storage(Dtype::U8),
            ("torch", "BoolStorage") => Self::Storage(Dtype::BOOL),
            (
                "torch",
                "float32" | "float16" | "bfloat16" | "float64" | "int64" | "int32" | "int16"
                | "int8" | "uint8" | "bool",
            ) => Self::TorchDtype,
            _ => {
                return Err(refused(
                    "data.pkl",
                    format!("a pickle that uses {module}.{name}"),
                ));
            }
        })
    }
}

/// A compound value.
#[derive(Debug)]
pub(super) enum Object<'a> {
    Tuple(Vec<Value<'a>>),
    List(Vec<Value<'a>>),
    Dict(Vec<(Value<'a>, Value<'a>)>),
    Storage(Storage<'a>),
    Tensor(Box<View>),
}

/// A storage as its persistent id names it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Storage<'a> {
    pub(super) dtype: Dtype,
    pub(super) key: &'a str,
    pub(super) values: usize,
}

/// A tensor: a view of the storage that is this object of the heap. Offset and strides count values.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) storage: usize,
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}
