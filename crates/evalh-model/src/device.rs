//! Where a model computes.

use crate::ModelError;
use evalh_kernel::{Compute, Isa, Precision};
use std::{fmt, str::FromStr};

/// A device as a user names it: `cpu`, `wgpu`, `wgpu:1`, `cuda`, `cuda:1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// The processor.
    #[default]
    Cpu,
    /// A GPU through WebGPU, Vulkan or Metal: the best one, or the discrete one of that index.
    Wgpu(Option<usize>),
    /// An NVIDIA GPU of that index.
    Cuda(usize),
}

impl FromStr for DeviceChoice {
    type Err = ModelError;

    fn from_str(name: &str) -> Result<Self, ModelError> {
        let unknown = || ModelError::Device {
            device: name.to_owned(),
            problem: "no such device; use cpu, wgpu, wgpu:N, cuda or cuda:N".into(),
        };
        let (kind, index) = match name.split_once(':') {
            Some((kind, index)) => (kind, Some(index.parse::<usize>().map_err(|_| unknown())?)),
            None => (name, None),
        };
        match (kind, index) {
            ("cpu", None) => Ok(Self::Cpu),
            ("wgpu", index) => Ok(Self::Wgpu(index)),
            ("cuda", index) => Ok(Self::Cuda(index.unwrap_or(0))),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Wgpu(None) => f.write_str("wgpu"),
            Self::Wgpu(Some(index)) => write!(f, "wgpu:{index}"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

/// Which primitives compute on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KernelChoice {
    /// The fastest that the device has.
    #[default]
    Auto,
    /// burn's own operations, as on any device.
    Portable,
}

impl FromStr for KernelChoice {
    type Err = ModelError;

    fn from_str(name: &str) -> Result<Self, ModelError> {
        match name {
            "auto" => Ok(Self::Auto),
            "portable" => Ok(Self::Portable),
            _ => Err(ModelError::Device {
                device: format!("with kernel {name}"),
                problem: "no such kernel; use auto or portable".into(),
            }),
        }
    }
}

/// In what arithmetic products with weights are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PrecisionChoice {
    /// `f32`, in which references are made, on every device there is today.
    #[default]
    Auto,
    /// `f32` factors and sums.
    F32,
    /// Weights and what they are multiplied with rounded to bf16, sums in `f32`.
    Bf16,
}

impl PrecisionChoice {
    fn precision(self) -> Precision {
        match self {
            Self::Auto | Self::F32 => Precision::F32,
            Self::Bf16 => Precision::Bf16,
        }
    }
}

/// The primitives for a device.
///
/// # Errors
/// When this build has no such device, or the primitives no such arithmetic.
pub(crate) fn compute(
    device: DeviceChoice,
    kernel: KernelChoice,
    precision: PrecisionChoice,
) -> Result<Compute, ModelError> {
    let set = primitives(device, kernel)?;
    set.in_precision(precision.precision())
        .ok_or_else(|| ModelError::Device {
            device: format!("{device} in bf16"),
            problem: "only the cpu's own kernels compute in bf16; use --device cpu with --kernel auto, or --precision f32"
                .into(),
        })
}

fn primitives(device: DeviceChoice, kernel: KernelChoice) -> Result<Compute, ModelError> {
    match device {
        // Without a fused product in hardware our own code would call a library for each one.
        DeviceChoice::Cpu if kernel == KernelChoice::Auto && !slow(Isa::detect()) => {
            Ok(Compute::cpu())
        }
        DeviceChoice::Cpu => Ok(Compute::burn(burn::tensor::Device::flex())),
        DeviceChoice::Wgpu(index) => wgpu(index),
        DeviceChoice::Cuda(index) => cuda(index),
    }
}

fn slow(isa: Isa) -> bool {
    isa == Isa::Portable && cfg!(target_arch = "x86_64")
}

#[cfg(feature = "wgpu")]
fn wgpu(index: Option<usize>) -> Result<Compute, ModelError> {
    use burn::tensor::{Device, DeviceKind};
    let kind = index.map_or(DeviceKind::DefaultDevice, DeviceKind::DiscreteGpu);
    answering(DeviceChoice::Wgpu(index), Device::wgpu(kind))
}

/// The primitives on a device that has computed something. burn starts a device with the first operation on it, and
/// panics where there is none.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn answering(choice: DeviceChoice, device: burn::tensor::Device) -> Result<Compute, ModelError> {
    use burn::tensor::Tensor;
    let probe = || Tensor::<1>::ones([2], &device).sum().into_data();
    if without_reports(probe).is_some() {
        return Ok(Compute::burn(device));
    }
    Err(ModelError::Device {
        device: choice.to_string(),
        problem: "it does not answer on this machine; check its driver and number (RUST_BACKTRACE=1 shows what burn says), or use cpu"
            .into(),
    })
}

/// What `probe` gives; none where it panics. burn's threads panic before the caller's does, so nothing in the process
/// reports a panic meanwhile, but where backtraces are asked for.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn without_reports<T>(probe: impl FnOnce() -> T) -> Option<T> {
    use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
    if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
        return catch_unwind(AssertUnwindSafe(probe)).ok();
    }
    let report = take_hook();
    set_hook(Box::new(|_| ()));
    let done = catch_unwind(AssertUnwindSafe(probe));
    set_hook(report);
    done.ok()
}

#[cfg(not(feature = "wgpu"))]
fn wgpu(index: Option<usize>) -> Result<Compute, ModelError> {
    Err(not_built(DeviceChoice::Wgpu(index), "wgpu"))
}

#[cfg(feature = "cuda")]
fn cuda(index: usize) -> Result<Compute, ModelError> {
    answering(DeviceChoice::Cuda(index), burn::tensor::Device::cuda(index))
}

#[cfg(not(feature = "cuda"))]
fn cuda(index: usize) -> Result<Compute, ModelError> {
    Err(not_built(DeviceChoice::Cuda(index), "cuda"))
}

#[cfg(not(all(feature = "wgpu", feature = "cuda")))]
fn not_built(device: DeviceChoice, feature: &str) -> ModelError {
    ModelError::Device {
        device: device.to_string(),
        problem: format!(
            "this evalh was built without it; build with `--features {feature}`, or use cpu"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_as_written() {
        for name in ["cpu", "wgpu", "wgpu:2", "cuda:0", "cuda:3"] {
            assert_eq!(name.parse::<DeviceChoice>().unwrap().to_string(), name);
        }
        assert_eq!(
            "cuda".parse::<DeviceChoice>().unwrap(),
            DeviceChoice::Cuda(0)
        );
        for name in ["", "gpu", "cpu:0", "cuda:x", "wgpu:", "cuda:-1"] {
            assert!(name.parse::<DeviceChoice>().is_err(), "{name}");
        }
    }
}
