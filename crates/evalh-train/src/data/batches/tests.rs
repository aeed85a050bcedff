use super::*;
use proptest::prelude::*;

const SHUFFLED: Order = Order::Shuffled { seed: 5 };

fn batches(lengths: &[usize], size: BatchSize, order: Order) -> Batches {
    Batches::new(lengths.to_vec(), size, order).unwrap()
}

fn indices(batches: &mut Batches, count: usize) -> Vec<Vec<usize>> {
    (0..count).map(|_| batches.take_next().examples).collect()
}

#[test]
fn batches_are_filled_in_order_and_epochs_end_apart() {
    let mut plain = batches(&[1; 5], BatchSize::Samples(2), Order::AsGiven);
    assert_eq!(plain.in_epoch(0), 3);
    let taken = indices(&mut plain, 4);
    assert_eq!(taken, [vec![0, 1], vec![2, 3], vec![4], vec![0, 1]]);
    assert_eq!(plain.position(), Position { epoch: 1, taken: 2 });
    let packing = BatchSize::Packing { max_tokens: 10 };
    let mut packed = batches(&[4, 6, 1, 10, 3, 3, 3, 3], packing, Order::AsGiven);
    assert_eq!(packed.in_epoch(0), 5);
    let taken = indices(&mut packed, 6);
    assert_eq!(
        taken,
        [
            vec![0, 1],
            vec![2],
            vec![3],
            vec![4, 5, 6],
            vec![7],
            vec![0, 1]
        ]
    );
}

#[test]
fn empty_examples_take_no_room() {
    let packing = BatchSize::Packing { max_tokens: 0 };
    let mut packed = batches(&[0, 0], packing, Order::AsGiven);
    assert_eq!(indices(&mut packed, 2), [vec![0, 1], vec![0, 1]]);
}

/// The order is part of what a seed means: were it another one in a later version, no training could be repeated. Computed
/// apart from this crate.
#[test]
fn the_order_of_a_seed_is_fixed() {
    let reference = include_str!("../../../tests/reference/random.json");
    let reference: serde_json::Value = serde_json::from_str(reference).unwrap();
    let mut given = batches(
        &[1; 10],
        BatchSize::Samples(10),
        Order::Shuffled { seed: 0 },
    );
    assert_eq!(
        serde_json::json!(indices(&mut given, 2)),
        reference["orders"]
    );
}

#[test]
fn what_cannot_be_batched_is_refused() {
    let refused = |lengths: &[usize], size| {
        let error = Batches::new(lengths.to_vec(), size, SHUFFLED).unwrap_err();
        error.to_string()
    };
    assert_eq!(
        refused(&[], BatchSize::Samples(1)),
        "make batches: there are no examples; give data with samples"
    );
    assert_eq!(
        refused(&[1], BatchSize::Samples(0)),
        "make batches: the batch size is 0; give at least 1"
    );
    assert_eq!(
        refused(&[3, 9], BatchSize::Packing { max_tokens: 8 }),
        "make batches: example 1 has 9 tokens and a packed batch at most 8; pack more tokens, or cut samples at fewer"
    );
    let mut three = batches(&[1; 3], BatchSize::Samples(2), SHUFFLED);
    let beyond = three.go_to(Position { epoch: 2, taken: 3 }).unwrap_err();
    assert_eq!(
        beyond.to_string(),
        "make batches: 3 examples of epoch 2 are taken, and an epoch has 3; go on with the data that the training began \
         with"
    );
}

fn any_size() -> impl Strategy<Value = BatchSize> {
    prop_oneof![
        (1_usize..6).prop_map(BatchSize::Samples),
        (20_usize..50).prop_map(|max_tokens| BatchSize::Packing { max_tokens }),
    ]
}

fn any_order() -> impl Strategy<Value = Order> {
    prop_oneof![
        any::<u64>().prop_map(|seed| Order::Shuffled { seed }),
        Just(Order::AsGiven)
    ]
}

proptest! {
    #[test]
    fn every_epoch_has_every_example_once(
        lengths in proptest::collection::vec(1_usize..=20, 1..40),
        size in any_size(),
        order in any_order(),
    ) {
        let mut given = batches(&lengths, size, order);
        for epoch in 0..3 {
            let mut seen = Vec::new();
            for _ in 0..given.in_epoch(epoch) {
                let batch = given.take_next();
                prop_assert_eq!(batch.at, Position { epoch, taken: seen.len() });
                prop_assert!(!batch.examples.is_empty());
                match size {
                    BatchSize::Samples(samples) => prop_assert!(batch.examples.len() <= samples),
                    BatchSize::Packing { max_tokens } => {
                        let tokens: usize = batch.examples.iter().map(|index| lengths[*index]).sum();
                        prop_assert!(tokens <= max_tokens);
                    }
                }
                seen.extend(batch.examples);
            }
            seen.sort_unstable();
            prop_assert!(seen.into_iter().eq(0..lengths.len()));
        }
    }

    #[test]
    fn any_position_can_be_gone_on_from(
        lengths in proptest::collection::vec(1_usize..=20, 1..40),
        size in any_size(),
        order in any_order(),
        before in 0_usize..60,
    ) {
        let mut whole = batches(&lengths, size, order);
        for _ in 0..before {
            whole.take_next();
        }
        let mut resumed = batches(&lengths, size, order);
        resumed.go_to(whole.position()).unwrap();
        for _ in 0..30 {
            prop_assert_eq!(whole.take_next(), resumed.take_next());
        }
        // Back to an earlier place as well.
        resumed.go_to(Position::default()).unwrap();
        prop_assert_eq!(resumed.take_next(), batches(&lengths, size, order).take_next());
    }
}

#[test]
fn epochs_and_seeds_differ() {
    let order = |seed, epoch| Order::Shuffled { seed }.of_epoch(epoch, 50);
    assert_ne!(order(1, 0), order(1, 1));
    assert_ne!(order(1, 0), order(2, 0));
    assert_ne!(order(0, 1), order(1, 0));
}
