//! What adapters cost: a token with each, merged and unmerged, beside one of the base.

use super::{
    clock::{Lap, Spread, spreads},
    found::AdapterCost,
    plan::Plan,
    work::{Tokens, Writer},
};
use crate::{
    failure::{OrFail as _, Outcome},
    flags::Apply,
    output::Task,
};
use evalh_adapter::AdapterUpdate;
use evalh_model::{Decoder, LoraId};

/// Compares in rounds: in each the base and every adapter write the same number of tokens to one sequence, and the next
/// round goes in the reverse order. So what changes slowly on the machine falls on all alike, and each ratio is of two
/// times from one round.
///
/// # Errors
/// When an adapter does not fit, or the model cannot.
pub fn compare(
    model: &mut Decoder,
    adapters: &[(String, AdapterUpdate)],
    plan: &Plan,
    ids: &mut Tokens,
    progress: &Task<'_>,
) -> Outcome<Vec<AdapterCost>> {
    let attached = adapters
        .iter()
        .map(|(_, update)| model.attach(update).or_fail())
        .collect::<Outcome<Vec<_>>>()?;
    let of_adapter = |index| [(index, Apply::Merged), (index, Apply::Unmerged)];
    let sides: Vec<Option<(usize, Apply)>> = std::iter::once(None)
        .chain((0..adapters.len()).flat_map(of_adapter).map(Some))
        .collect();
    let mut laps: Vec<Vec<Lap>> = vec![Vec::new(); sides.len()];
    for round in 0..plan.rounds {
        let mut order: Vec<usize> = (0..sides.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for side in order {
            let adapter = put(model, sides[side], adapters, &attached)?;
            let mut writer = Writer::new(model, 1, adapter, plan, ids)?;
            // New weights come into the caches before they are timed.
            writer.write()?;
            laps[side].push(writer.write()?);
            progress.advance(1);
        }
    }
    model.restore();
    model.detach_all();
    let base = &laps[0];
    let costs = sides.iter().zip(&laps).filter_map(|(side, laps)| {
        let (index, how) = (*side)?;
        let (seconds, cpu_seconds) = spreads(laps, plan.new_tokens);
        let ratio = |take: fn(&Lap) -> f64| {
            let pairs = laps.iter().zip(base);
            Spread::of(pairs.map(|(own, base)| take(own) / take(base)).collect())
        };
        Some(AdapterCost {
            adapter: adapters[index].0.clone(),
            how: how.to_string(),
            base_seconds: spreads(base, plan.new_tokens).0,
            seconds,
            cpu_seconds,
            ratio: ratio(|lap| lap.wall),
            cpu_ratio: ratio(|lap| lap.cpu),
        })
    });
    Ok(costs.collect())
}

/// Puts an adapter on the model, or the base back; gives what sequences are answered with.
fn put(
    model: &mut Decoder,
    side: Option<(usize, Apply)>,
    adapters: &[(String, AdapterUpdate)],
    attached: &[LoraId],
) -> Outcome<Option<LoraId>> {
    match side {
        Some((index, Apply::Merged)) => model.merge(&adapters[index].1).or_fail()?,
        _ => model.restore(),
    }
    let unmerged = side.filter(|(_, how)| *how == Apply::Unmerged);
    Ok(unmerged.map(|(index, _)| attached[index]))
}
