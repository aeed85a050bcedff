//! What the process and the device take.

use crate::{
    energy::{EnergySource, Meter},
    usage::{self, PeakMemory},
};
use evalh_model::DeviceChoice;
use evalh_train::run::Gauge;

/// The gauge of this process.
pub struct ProcessGauge {
    peak: PeakMemory,
    meter: Meter,
}

impl ProcessGauge {
    /// A gauge of the process from now on, and of the energy of a device.
    pub fn new(device: DeviceChoice) -> Self {
        Self {
            peak: PeakMemory::begin(),
            meter: Meter::of(device),
        }
    }
}

impl Gauge for ProcessGauge {
    fn cpu_seconds(&self) -> f64 {
        usage::cpu_seconds()
    }

    fn rss_bytes(&self) -> Option<u64> {
        usage::resident()
    }

    fn peak_rss_bytes(&self) -> Option<u64> {
        self.peak.bytes()
    }

    fn joules(&mut self) -> Option<f64> {
        self.meter.joules()
    }

    fn energy_source(&self) -> Result<String, String> {
        match self.meter.source() {
            EnergySource::From(source) => Ok(source),
            EnergySource::Unavailable(why) => Err(why),
        }
    }
}
