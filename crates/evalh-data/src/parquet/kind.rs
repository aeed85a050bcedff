//! What the values of a leaf are.

use super::footer::Element;

/// What values of a leaf are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    Bool,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
    Text,
}

/// What the values of a leaf are, or what it has that is not supported.
pub(super) fn values(element: &Element) -> Result<Values, &'static str> {
    let physical = element.physical.unwrap_or(-1);
    // The numbers of `LogicalType` and of the older `ConvertedType`.
    let logical = element.logical.map(|logical| (logical.id, logical.signed));
    let unsigned = match (logical, element.converted) {
        (Some((10, signed)), _) => !signed,
        (None, Some(converted)) => (11..=14).contains(&converted),
        _ => false,
    };
    let name = match (logical.map(|(id, _)| id), element.converted) {
        // No type, integers and null, whose values are all missing.
        (None | Some(10 | 11), None | Some(11..=18)) => "",
        (Some(1 | 4 | 12), _) | (None, Some(0 | 4 | 19)) if physical == 6 => "text",
        (Some(5), _) | (None, Some(5)) => "decimals",
        (Some(6), _) | (None, Some(6)) => "dates",
        (Some(7), _) | (None, Some(7 | 8)) => "times of day",
        (Some(8), _) | (None, Some(9 | 10)) => "timestamps",
        (Some(14), _) => "UUIDs",
        (Some(15), _) => "half-precision floats",
        _ => "values of an unsupported logical type",
    };
    Ok(match (physical, name) {
        (0, "") => Values::Bool,
        (1, "") if unsigned => Values::U32,
        (1, "") => Values::I32,
        (2, "") if unsigned => Values::U64,
        (2, "") => Values::I64,
        (3, _) => return Err("96-bit timestamps"),
        (4, "") => Values::F32,
        (5, "") => Values::F64,
        (6, "text") => Values::Text,
        (6 | 7, "") => return Err("raw bytes"),
        (0..=7, what) => return Err(what),
        _ => return Err("values of an unknown type"),
    })
}
