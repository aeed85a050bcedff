//! Energy, where the machine counts it.

mod nvidia;
mod rapl;

use crate::failure::Outcome;
use evalh_model::DeviceChoice;
use nvidia::Nvidia;
use rapl::Rapl;
use serde::Serialize;
use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// The counters are read at least so often: RAPL's wrap around within a minute at the earliest, and power that is only
/// sampled is integrated between the samples.
const PAUSE: Duration = Duration::from_millis(250);

/// Where joules come from, or why there are none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EnergySource {
    /// What counts, such as `RAPL: package-0`.
    From(String),
    /// Why nothing does.
    Unavailable(String),
}

/// Something that counts joules from when it was made.
trait Counter: Send {
    /// Joules so far, now.
    fn joules(&mut self) -> Option<f64>;
    /// What it is.
    fn name(&self) -> String;
}

/// Counts joules over spans of work.
pub struct Meter {
    source: EnergySource,
    counter: Option<Arc<Mutex<Box<dyn Counter>>>>,
    reader: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl Meter {
    /// What counts the energy of a device: the processor's RAPL counters (Linux), an NVIDIA GPU's power by `nvidia-smi`.
    pub fn of(device: DeviceChoice) -> Meter {
        let counter: Result<Box<dyn Counter>, String> = match device {
            DeviceChoice::Cpu => {
                Rapl::open(Path::new("/sys/class/powercap")).map(|rapl| Box::new(rapl) as _)
            }
            DeviceChoice::Cuda(index) => Nvidia::open(index).map(|nvidia| Box::new(nvidia) as _),
            DeviceChoice::Wgpu(_) => {
                Err("nothing counts the energy of a device behind WebGPU".to_owned())
            }
        };
        match counter {
            Ok(counter) => Meter::reading(counter),
            Err(why) => Meter {
                source: EnergySource::Unavailable(why),
                counter: None,
                reader: None,
            },
        }
    }

    fn reading(counter: Box<dyn Counter>) -> Meter {
        let source = EnergySource::From(counter.name());
        let counter = Arc::new(Mutex::new(counter));
        let done = Arc::new(AtomicBool::new(false));
        let (read, ended) = (counter.clone(), done.clone());
        let reader = thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                joules(&read);
                thread::park_timeout(PAUSE);
            }
        });
        Meter {
            source,
            counter: Some(counter),
            reader: Some((done, reader)),
        }
    }

    /// Where joules come from, or why there are none.
    pub fn source(&self) -> EnergySource {
        self.source.clone()
    }

    /// Joules of the device since the meter was made.
    pub fn joules(&self) -> Option<f64> {
        self.counter.as_ref().and_then(joules)
    }

    /// Does something and tells the joules of the whole device meanwhile.
    ///
    /// # Errors
    /// Those of the work.
    pub fn over<T>(&self, work: impl FnOnce() -> Outcome<T>) -> Outcome<(T, Option<f64>)> {
        let before = self.joules();
        let done = work()?;
        let spent = self
            .joules()
            .zip(before)
            .map(|(after, before)| after - before);
        Ok((done, spent))
    }
}

fn joules(counter: &Arc<Mutex<Box<dyn Counter>>>) -> Option<f64> {
    counter
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .joules()
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some((done, reader)) = self.reader.take() {
            done.store(true, Ordering::Relaxed);
            reader.thread().unpark();
            // A reader that panicked counts no more; its figures are gone with it.
            let _ = reader.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ticking(f64);

    impl Counter for Ticking {
        fn joules(&mut self) -> Option<f64> {
            self.0 += 1.0;
            Some(self.0)
        }

        fn name(&self) -> String {
            "ticks".to_owned()
        }
    }

    #[test]
    fn what_work_took_is_the_difference_around_it() {
        let meter = Meter::reading(Box::new(Ticking(0.0)));
        let (done, joules) = meter.over(|| Ok(7)).unwrap();
        assert_eq!(done, 7);
        // The reader may have read in between.
        assert!(joules.is_some_and(|joules| joules >= 1.0), "{joules:?}");
        assert_eq!(meter.source(), EnergySource::From("ticks".to_owned()));
    }

    #[test]
    fn a_device_that_does_not_count_says_why() {
        let meter = Meter::of(DeviceChoice::Wgpu(None));
        assert!(matches!(meter.source(), EnergySource::Unavailable(_)));
        assert_eq!(meter.over(|| Ok(())).unwrap().1, None);
    }
}
