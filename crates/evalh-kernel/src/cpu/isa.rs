//! Which instruction set computes.

use std::fmt;

/// An instruction set the CPU primitives are compiled for. All give the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// x86-64 with AVX-512F.
    Avx512,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// aarch64 with NEON, which all of them have.
    Neon,
    /// Plain Rust: what the compiler makes of it for the target's baseline.
    Portable,
}

impl Isa {
    /// All of them, the best of each machine first.
    const ALL: [Self; 4] = [Self::Avx512, Self::Avx2, Self::Neon, Self::Portable];

    /// The best set of this machine.
    pub fn detect() -> Self {
        let mut here = Self::ALL.into_iter().filter(|isa| isa.is_here());
        here.next().unwrap_or(Self::Portable)
    }

    /// Every set this machine can run, best first.
    pub fn available() -> Vec<Self> {
        let here = Self::ALL.into_iter().filter(|isa| isa.is_here());
        here.collect()
    }

    #[cfg(target_arch = "x86_64")]
    fn is_here(self) -> bool {
        match self {
            Self::Avx512 => is_x86_feature_detected!("avx512f"),
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Self::Neon => false,
            Self::Portable => true,
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn is_here(self) -> bool {
        match self {
            Self::Avx512 | Self::Avx2 => false,
            Self::Neon => cfg!(target_arch = "aarch64"),
            Self::Portable => true,
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Neon => "neon",
            Self::Portable => "portable",
        })
    }
}

/// Defines `$name` as a dispatcher over [`Isa`] to the generic `$generic::<Lanes, ..>`, compiled once a set.
macro_rules! dispatch {
    ($(#[$doc:meta])* $vis:vis unsafe fn $name:ident($isa:ident; $($arg:ident: $ty:ty),* $(,)?) = $generic:ident) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        $vis unsafe fn $name($isa: crate::cpu::isa::Isa, $($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f")]
            #[allow(clippy::too_many_arguments)]
            unsafe fn avx512($($arg: $ty),*) {
                // SAFETY: the caller of the dispatcher vouches for the arguments.
                unsafe { $generic::<crate::cpu::lanes::Avx512>($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            unsafe fn avx2($($arg: $ty),*) {
                // SAFETY: the caller of the dispatcher vouches for the arguments.
                unsafe { $generic::<crate::cpu::lanes::Avx2>($($arg),*) }
            }
            #[cfg(target_arch = "aarch64")]
            #[target_feature(enable = "neon")]
            #[allow(clippy::too_many_arguments)]
            unsafe fn neon($($arg: $ty),*) {
                // SAFETY: the caller of the dispatcher vouches for the arguments.
                unsafe { $generic::<crate::cpu::lanes::Neon>($($arg),*) }
            }
            match $isa {
                // SAFETY: `Isa` values of this machine come from detection; arguments as above.
                #[cfg(target_arch = "x86_64")]
                crate::cpu::isa::Isa::Avx512 => unsafe { avx512($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                crate::cpu::isa::Isa::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "aarch64")]
                crate::cpu::isa::Isa::Neon => unsafe { neon($($arg),*) },
                // SAFETY: as above.
                _ => unsafe { $generic::<crate::cpu::lanes::Portable>($($arg),*) },
            }
        }
    };
}
pub(super) use dispatch;
