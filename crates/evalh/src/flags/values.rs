//! Values of flags.

use clap::ValueEnum;
use evalh_adapter::{MixPart, parse_mix};
use evalh_checkpoint::Quantization;
use evalh_model::{KernelChoice, PrecisionChoice};
use evalh_report::compare::Role;
use serde::{Deserialize, Serialize};
use std::{fmt, path::PathBuf, str::FromStr};

/// What `evalh list` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Listing {
    /// Checkpoints for --model
    Models,
    /// Suites for --suite
    Suites,
    /// Everything that `evalh pull` can fetch
    Artifacts,
}

/// How adapters are put on the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Apply {
    /// Added to the weights: the base's speed
    Merged,
    /// Beside the weights
    Unmerged,
}

/// What weights are rounded to at load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantize {
    /// 4 bits in blocks of 64 (bitsandbytes' NF4)
    Nf4,
    /// NF4 with 8-bit scales, as QLoRA has it
    Nf4Double,
    /// 4-bit floating point in blocks of 64
    Fp4,
    /// 8 bits with a scale a row (the weights of LLM.int8)
    Int8,
}

impl Quantize {
    /// The checkpoint's name for it.
    pub fn choice(self) -> Quantization {
        match self {
            Quantize::Nf4 => Quantization::Nf4,
            Quantize::Nf4Double => Quantization::Nf4Double,
            Quantize::Fp4 => Quantization::Fp4,
            Quantize::Int8 => Quantization::Int8,
        }
    }
}

/// Which kernels compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kernel {
    /// The fastest that the device has
    Auto,
    /// Plain burn operations
    Portable,
}

impl Kernel {
    /// The model's name for it.
    pub fn choice(self) -> KernelChoice {
        match self {
            Kernel::Auto => KernelChoice::Auto,
            Kernel::Portable => KernelChoice::Portable,
        }
    }
}

/// In what arithmetic a model computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// f32, in which reference scores are made
    Auto,
    /// f32 products and sums
    F32,
    /// Weights and their inputs rounded to bf16, sums in f32: faster where the processor has it
    Bf16,
}

impl Precision {
    /// The model's name for it.
    pub fn choice(self) -> PrecisionChoice {
        match self {
            Precision::Auto => PrecisionChoice::Auto,
            Precision::F32 => PrecisionChoice::F32,
            Precision::Bf16 => PrecisionChoice::Bf16,
        }
    }
}

macro_rules! show_as_flag {
    ($($kind:ty),*) => {$(
        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
            }
        }
    )*};
}
show_as_flag!(Apply, Kernel, Precision, Quantize);

/// `VALUE`, or `SUITE=VALUE` for one suite alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerSuite<T> {
    /// The suite that it is for; `None` is every one on which it has an effect.
    pub suite: Option<String>,
    /// The value.
    pub value: T,
}

impl<T: FromStr> FromStr for PerSuite<T>
where
    T::Err: fmt::Display,
{
    type Err = String;

    fn from_str(text: &str) -> Result<PerSuite<T>, String> {
        // What is no suite's name is part of the value, such as a path with a `=` in it.
        let is_name = |name: &str| {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            !name.is_empty() && name.chars().all(plain)
        };
        let (suite, value) = match text.split_once('=') {
            Some((suite, value)) if is_name(suite) => (Some(suite.to_owned()), value),
            _ => (None, text),
        };
        let value = value.parse().map_err(|error: T::Err| error.to_string())?;
        Ok(PerSuite { suite, value })
    }
}

/// Names separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl FromStr for Names {
    type Err = String;

    fn from_str(text: &str) -> Result<Names, String> {
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        if names.iter().any(String::is_empty) {
            return Err("expected names separated by commas, such as astronomy,anatomy".to_owned());
        }
        Ok(Names(names))
    }
}

/// `NAME=PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPath {
    /// The name that the variant gets.
    pub name: String,
    /// The folder.
    pub path: PathBuf,
}

impl FromStr for NamedPath {
    type Err = String;

    fn from_str(text: &str) -> Result<NamedPath, String> {
        match text.split_once('=') {
            Some((name, path)) if !name.is_empty() && !path.is_empty() => Ok(NamedPath {
                name: name.to_owned(),
                path: PathBuf::from(path),
            }),
            _ => Err("expected NAME=PATH, such as tuned=adapters/tuned".to_owned()),
        }
    }
}

/// `NAME=PATH`, or `NAME=A:WEIGHT+B:WEIGHT`.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedAdapter {
    /// The name that the variant gets.
    pub name: String,
    /// What it is.
    pub source: AdapterFlag,
}

/// An adapter as it is named on the command line.
#[derive(Debug, Clone, PartialEq)]
pub enum AdapterFlag {
    /// A folder.
    Folder(PathBuf),
    /// Other adapters by name or folder, with weights.
    Mix(Vec<MixPart>),
}

impl FromStr for NamedAdapter {
    type Err = String;

    fn from_str(text: &str) -> Result<NamedAdapter, String> {
        let NamedPath { name, path } = text.parse()?;
        let rest = path.to_string_lossy();
        let mix = parse_mix(&rest).map_err(|error| error.to_string())?;
        let source = match mix {
            Some(mix) => AdapterFlag::Mix(mix.parts),
            None => AdapterFlag::Folder(path),
        };
        Ok(NamedAdapter { name, source })
    }
}

/// A number of bytes: `800MB`, `2GiB`, `1.5g`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let wrong = || format!("`{text}` is not a size; write it like 800MB, 2GiB or 1.5g");
        let lower = text.trim().to_ascii_lowercase();
        let digits = lower
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(lower.len());
        let (number, unit) = lower.split_at(digits);
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let factor: f64 = match unit.trim_start() {
            "" | "b" => 1.0,
            "kb" => 1e3,
            "mb" => 1e6,
            "gb" => 1e9,
            "tb" => 1e12,
            "k" | "kib" => 1024.0,
            "m" | "mib" => 1_048_576.0,
            "g" | "gib" => 1_073_741_824.0,
            "t" | "tib" => 1_099_511_627_776.0,
            _ => return Err(wrong()),
        };
        let bytes = number * factor;
        if bytes >= 1.0 && bytes < u64::MAX as f64 {
            Ok(Size(bytes as u64))
        } else {
            Err(wrong())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        let sizes =
            ["1", "800MB", "2GiB", "1.5g", "4 k"].map(|text| text.parse::<Size>().unwrap().0);
        assert_eq!(sizes, [1, 800_000_000, 2 << 30, 3 << 29, 4096]);
        for wrong in [
            "",
            "GiB",
            "-1",
            "0",
            "1e9",
            "2 apples",
            "99999999999999tb",
            "1.2.3",
        ] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_value_may_be_for_one_suite() {
        let read = |text: &str| text.parse::<PerSuite<usize>>();
        let limit = read("gsm8k=5").unwrap();
        assert_eq!((limit.suite.as_deref(), limit.value), (Some("gsm8k"), 5));
        assert_eq!(
            read("7").unwrap(),
            PerSuite {
                suite: None,
                value: 7
            }
        );
        assert!(read("gsm8k=").is_err());
        let path = "./a=b".parse::<PerSuite<PathBuf>>().unwrap();
        assert_eq!(path.value, PathBuf::from("./a=b"));
        let tasks = "mmlu=a, b".parse::<PerSuite<Names>>().unwrap();
        assert_eq!(tasks.value.0, ["a", "b"]);
        assert!("a,,b".parse::<Names>().is_err());
    }

    #[test]
    fn a_mix_has_a_name_and_weights() {
        let mix = "mix=a:0.7+b/c:-0.3".parse::<NamedAdapter>().unwrap();
        let AdapterFlag::Mix(parts) = mix.source else {
            panic!("no mix")
        };
        let parts: Vec<_> = parts
            .iter()
            .map(|p| (p.adapter.as_str(), p.weight))
            .collect();
        assert_eq!(
            (mix.name.as_str(), parts),
            ("mix", vec![("a", 0.7), ("b/c", -0.3)])
        );
        let single = "x=p/q".parse::<NamedAdapter>().unwrap();
        assert_eq!(single.source, AdapterFlag::Folder("p/q".into()));
        for wrong in ["mix=a:x", "mix=a:1+b", "a:1+b:2", "=a:1"] {
            assert!(wrong.parse::<NamedAdapter>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn adapters_have_a_name_and_a_path() {
        let read = "a=b=c".parse::<NamedPath>().unwrap();
        assert_eq!((read.name.as_str(), read.path.to_str()), ("a", Some("b=c")));
        for wrong in ["a", "=a", "a=", ""] {
            assert!(wrong.parse::<NamedPath>().is_err(), "{wrong}");
        }
    }
}

/// A role by the name of a variant, `tuned=standard`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleFlag {
    /// The variant's name.
    pub name: String,
    /// Its role.
    pub role: Role,
}

impl FromStr for RoleFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A name may hold an equals sign, a role does not.
        let (name, role) = text
            .rsplit_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or("give it as NAME=ROLE, such as tuned=standard")?;
        Ok(RoleFlag {
            name: name.to_owned(),
            role: role.parse()?,
        })
    }
}
