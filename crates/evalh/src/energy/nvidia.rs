//! An NVIDIA GPU's energy: its power by `nvidia-smi`, integrated over the times at which it was read.

use super::Counter;
use std::{process::Command, time::Instant};

/// The power of one GPU, summed up.
pub struct Nvidia {
    index: usize,
    last: (Instant, f64),
    joules: f64,
}

impl Nvidia {
    /// Asks for the GPU's power once.
    ///
    /// # Errors
    /// Why it cannot be had, in words.
    pub fn open(index: usize) -> Result<Nvidia, String> {
        let watts = watts(index)?;
        Ok(Nvidia {
            index,
            last: (Instant::now(), watts),
            joules: 0.0,
        })
    }

    /// The power was so much at that time: between two times it is taken to have gone straight from one to the other.
    fn add(&mut self, now: Instant, watts: f64) {
        let (then, before) = self.last;
        let seconds = now.saturating_duration_since(then).as_secs_f64();
        self.joules += f64::midpoint(before, watts) * seconds;
        self.last = (now, watts);
    }
}

impl Counter for Nvidia {
    fn joules(&mut self) -> Option<f64> {
        let watts = watts(self.index).ok()?;
        self.add(Instant::now(), watts);
        Some(self.joules)
    }

    fn name(&self) -> String {
        format!("nvidia-smi: power of GPU {}, integrated", self.index)
    }
}

fn watts(index: usize) -> Result<f64, String> {
    let asked = Command::new("nvidia-smi")
        .args(["--query-gpu=power.draw", "--format=csv,noheader,nounits"])
        .arg(format!("--id={index}"))
        .output()
        .map_err(|error| format!("nvidia-smi cannot be run: {error}"))?;
    let said = String::from_utf8_lossy(&asked.stdout);
    if !asked.status.success() {
        return Err(format!("nvidia-smi failed: {}", said.trim()));
    }
    let power = said.trim().parse();
    power.map_err(|_| format!("nvidia-smi tells no power of GPU {index}: {}", said.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn power_is_integrated_over_the_times_it_was_read_at() {
        let start = Instant::now();
        let mut gpu = Nvidia {
            index: 0,
            last: (start, 100.0),
            joules: 0.0,
        };
        gpu.add(start + Duration::from_secs(2), 200.0);
        gpu.add(start + Duration::from_secs(3), 200.0);
        assert!((gpu.joules - 500.0).abs() < 1e-9, "{}", gpu.joules);
    }
}
