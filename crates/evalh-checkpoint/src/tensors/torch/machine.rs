//! The machine that interprets a pickle: a stack, a memo and a heap, no recursion, no call of anything.

mod calls;
mod input;

use super::{
    Fault, damaged,
    pickle::{Global, Object, Value, op},
    refused,
};
use input::Input;
use std::collections::HashMap;

/// The deepest stack. Python writes dictionaries in batches of 1000 items.
const DEEPEST_STACK: usize = 1 << 14;

/// Bytes of a pickle for each compound value in it, at least; a state dict has some nine. What the machine holds stays in
/// proportion to the file with this.
const BYTES_AN_OBJECT: usize = 4;

/// Compound values that even the smallest pickle may have.
const FEW_OBJECTS: usize = 64;

/// Interprets a pickle to its one value and the heap that the value refers to.
pub(super) fn run(pickle: &[u8]) -> Result<(Value<'_>, Vec<Object<'_>>), Fault> {
    let mut machine = Machine {
        input: Input(pickle),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        heap: Vec::new(),
    };
    loop {
        let [code] = *machine.input.take::<1>()?;
        if code == op::STOP {
            let root = machine.pop()?;
            return Ok((root, machine.heap));
        }
        machine.step(code)?;
        if machine.heap.len() > FEW_OBJECTS + pickle.len() / BYTES_AN_OBJECT {
            return Err(refused(
                "data.pkl",
                "a pickle of next to nothing but empty values",
            ));
        }
        if machine.stack.len() + machine.marks.len() > DEEPEST_STACK {
            return Err(refused(
                "data.pkl",
                format!("a pickle with more than {DEEPEST_STACK} pending values"),
            ));
        }
    }
}

struct Machine<'a> {
    input: Input<'a>,
    stack: Vec<Value<'a>>,
    marks: Vec<usize>,
    memo: HashMap<u32, Value<'a>>,
    heap: Vec<Object<'a>>,
}

fn broken(problem: &str) -> Fault {
    damaged("data.pkl", problem)
}

impl<'a> Machine<'a> {
    fn step(&mut self, code: u8) -> Result<(), Fault> {
        let value = match code {
            op::PROTO => {
                let [version] = *self.input.take::<1>()?;
                return if version == 2 {
                    Ok(())
                } else {
                    Err(refused("data.pkl", format!("pickle protocol {version}")))
                };
            }
            op::MARK => {
                self.marks.push(self.stack.len());
                return Ok(());
            }
            op::BIN_PUT => {
                return self
                    .input
                    .take::<1>()
                    .copied()
                    .and_then(|[n]| self.put(n.into()));
            }
            op::LONG_BIN_PUT => {
                let place = u32::from_le_bytes(*self.input.take()?);
                return self.put(place);
            }
            op::APPEND => return self.pop().and_then(|item| self.append(&[item])),
            op::APPENDS => return self.pop_to_mark().and_then(|items| self.append(&items)),
            op::SET_ITEM => {
                let items = self.pop_last::<2>()?;
                return self.set_items(&items);
            }
            op::SET_ITEMS => return self.pop_to_mark().and_then(|items| self.set_items(&items)),
            op::BUILD => return self.build(),
            op::NONE => Value::None,
            op::NEW_TRUE => Value::Bool(true),
            op::NEW_FALSE => Value::Bool(false),
            op::BIN_INT => Value::Int(i32::from_le_bytes(*self.input.take()?).into()),
            op::BIN_INT1 => Value::Int(self.input.take::<1>()?[0].into()),
            op::BIN_INT2 => Value::Int(u16::from_le_bytes(*self.input.take()?).into()),
            op::LONG1 => Value::Int(self.input.long()?),
            op::BIN_FLOAT => {
                self.input.take::<8>()?;
                Value::Float
            }
            op::BIN_UNICODE => {
                let len = u32::from_le_bytes(*self.input.take()?) as usize;
                Value::Text(self.input.text(len)?)
            }
            op::EMPTY_TUPLE => self.new_object(Object::Tuple(Vec::new())),
            op::EMPTY_LIST => self.new_object(Object::List(Vec::new())),
            op::EMPTY_DICT => self.new_object(Object::Dict(Vec::new())),
            op::TUPLE => {
                let items = self.pop_to_mark()?;
                self.new_object(Object::Tuple(items))
            }
            op::TUPLE1 => self.tuple::<1>()?,
            op::TUPLE2 => self.tuple::<2>()?,
            op::TUPLE3 => self.tuple::<3>()?,
            op::BIN_GET => {
                let [place] = *self.input.take::<1>()?;
                self.get(place.into())?
            }
            op::LONG_BIN_GET => {
                let place = u32::from_le_bytes(*self.input.take()?);
                self.get(place)?
            }
            op::GLOBAL => {
                let (module, name) = (self.input.line()?, self.input.line()?);
                Value::Global(Global::find(module, name)?)
            }
            op::REDUCE => self.reduce()?,
            op::BIN_PERS_ID => self.storage()?,
            _ => {
                return Err(refused(
                    "data.pkl",
                    format!("a pickle with the opcode {code:#04x}"),
                ));
            }
        };
        self.stack.push(value);
        Ok(())
    }

    /// The values above the last mark may be popped, none below it.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Value<'a>, Fault> {
        self.pop_last::<1>().map(|[value]| value)
    }

    fn pop_last<const N: usize>(&mut self) -> Result<[Value<'a>; N], Fault> {
        let values = self.stack[self.floor()..]
            .last_chunk()
            .copied()
            .ok_or_else(|| broken("takes more values than it gives"))?;
        self.stack.truncate(self.stack.len() - N);
        Ok(values)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value<'a>>, Fault> {
        let mark = self
            .marks
            .pop()
            .ok_or_else(|| broken("ends a group that it did not begin"))?;
        Ok(self.stack.split_off(mark))
    }

    fn new_object(&mut self, object: Object<'a>) -> Value<'a> {
        self.heap.push(object);
        Value::Object(self.heap.len() - 1)
    }

    fn tuple<const N: usize>(&mut self) -> Result<Value<'a>, Fault> {
        let items = self.pop_last::<N>()?;
        Ok(self.new_object(Object::Tuple(items.to_vec())))
    }

    fn put(&mut self, place: u32) -> Result<(), Fault> {
        let value = *self
            .stack
            .last()
            .ok_or_else(|| broken("takes more values than it gives"))?;
        self.memo.insert(place, value);
        Ok(())
    }

    fn get(&self, place: u32) -> Result<Value<'a>, Fault> {
        self.memo
            .get(&place)
            .copied()
            .ok_or_else(|| broken("refers to a value that it did not give"))
    }

    /// The compound value that the items just popped belong to.
    fn top(&mut self) -> Option<&mut Object<'a>> {
        match self.stack.last() {
            Some(&Value::Object(place)) => self.heap.get_mut(place),
            _ => None,
        }
    }

    fn append(&mut self, items: &[Value<'a>]) -> Result<(), Fault> {
        match self.top() {
            Some(Object::List(list)) => {
                list.extend_from_slice(items);
                Ok(())
            }
            _ => Err(broken("appends to what is no list")),
        }
    }

    fn set_items(&mut self, items: &[Value<'a>]) -> Result<(), Fault> {
        let (pairs, []) = items.as_chunks::<2>() else {
            return Err(broken("has a key without a value"));
        };
        match self.top() {
            Some(Object::Dict(dict)) => {
                dict.extend(pairs.iter().map(|[key, value]| (*key, *value)));
                Ok(())
            }
            _ => Err(broken("sets an item of what is no dictionary")),
        }
    }

    /// Attributes of a state dict: its `_metadata`, versions of the layers' layouts, of no use without their classes.
    fn build(&mut self) -> Result<(), Fault> {
        self.pop()?;
        match self.top() {
            Some(Object::Dict(_)) => Ok(()),
            _ => Err(refused(
                "data.pkl",
                "a pickle that sets attributes of an object",
            )),
        }
    }

    fn tuple_at(&self, value: Value<'a>) -> Option<&[Value<'a>]> {
        match value {
            Value::Object(place) => match &self.heap[place] {
                Object::Tuple(items) => Some(items),
                _ => None,
            },
            _ => None,
        }
    }
}
