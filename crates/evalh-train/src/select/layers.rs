//! `--layers`: which layers are adapted.

use super::SelectError;
use evalh_record::training::LayerSelection;
use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

/// Which layers are adapted, as a user says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layers {
    /// Every one.
    All,
    /// Those that a `layers.json` names.
    File(PathBuf),
    /// These, ascending, none twice.
    List(Vec<usize>),
}

impl FromStr for Layers {
    type Err = SelectError;

    /// `all`, numbers and ranges (`0-15`, `0,2,5-7`: both ends belong to a range), or the path of a file.
    fn from_str(text: &str) -> Result<Self, SelectError> {
        let refused = |problem: String| SelectError::Layers {
            text: text.to_owned(),
            problem,
        };
        if text == "all" {
            return Ok(Self::All);
        }
        let numbers = |byte: u8| byte.is_ascii_digit() || b",- ".contains(&byte);
        if text.trim().is_empty() {
            return Err(refused("it names no layer".to_owned()));
        }
        if !text.bytes().all(numbers) {
            return Ok(Self::File(PathBuf::from(text)));
        }
        let mut layers = Vec::new();
        for part in text.split(',').map(str::trim) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| {
                let text = text.trim();
                let layer = text.parse::<u32>();
                layer.map_err(|_| refused(format!("`{part}` is neither a number nor a range")))
            };
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return Err(refused(format!("the range `{part}` runs backwards")));
            }
            if last > MOST {
                return Err(refused(format!("there is no model with a layer {last}")));
            }
            layers.extend((first..=last).map(|layer| layer as usize));
        }
        layers.sort_unstable();
        if let Some([twice, ..]) = layers.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(refused(format!("layer {twice} is named twice")));
        }
        Ok(Self::List(layers))
    }
}

/// Far above any model's layers, and few enough to list.
const MOST: u32 = 65_535;

impl Layers {
    /// The layers, ascending, of a model of `of_layers`, with the file that named them where one did.
    ///
    /// # Errors
    /// When the model has no such layer, or the file cannot be read, is damaged or was made for another number of layers.
    pub fn resolve(
        &self,
        of_layers: usize,
    ) -> Result<(Vec<usize>, Option<LayerSelection>), SelectError> {
        match self {
            Self::All => Ok(((0..of_layers).collect(), None)),
            Self::File(path) => {
                let file = read(path, of_layers)?;
                Ok((file.layers_to_transform.clone(), Some(file)))
            }
            Self::List(layers) => match layers.last() {
                Some(last) if *last >= of_layers => Err(SelectError::Layers {
                    text: layers
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join(","),
                    problem: format!(
                        "the model has {of_layers} layers, 0 to {}",
                        of_layers.saturating_sub(1)
                    ),
                }),
                _ => Ok((layers.clone(), None)),
            },
        }
    }
}

fn read(path: &Path, layers: usize) -> Result<LayerSelection, SelectError> {
    let file = LayerSelection::read(path).map_err(|source| SelectError::File {
        path: path.to_owned(),
        source: Box::new(source),
    })?;
    let found = file.scores.len();
    if found == layers {
        return Ok(file);
    }
    Err(SelectError::OtherModel {
        path: path.to_owned(),
        model: file.model.name,
        found,
        layers,
    })
}

#[cfg(test)]
mod tests;
