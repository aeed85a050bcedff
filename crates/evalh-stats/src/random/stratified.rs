//! A draw of items that gives every task its share.

use super::PythonRandom;

/// Which rows of each task are asked where `items` are drawn over tasks of `sizes` rows: for each task its rows from 0,
/// ascending.
///
/// Every task gets the whole part of its quota `items * size / total`; what is left goes one each to the largest
/// remainders (Hamilton's method), of equal ones to the earlier task. The rows are `sample(range(size), share)` of one
/// [`PythonRandom`], task after task in their order. Where `items` is not less than the total, all rows are taken and
/// nothing is drawn.
pub fn draw_stratified(sizes: &[usize], items: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut random = PythonRandom::new(seed);
    shares(sizes, items)
        .into_iter()
        .zip(sizes)
        .map(|(share, &size)| {
            if share >= size {
                return (0..size).collect();
            }
            let mut rows = random.sample(size, share).unwrap_or_default();
            rows.sort_unstable();
            rows
        })
        .collect()
}

/// How many of `items` each of the `sizes` gets.
fn shares(sizes: &[usize], items: usize) -> Vec<usize> {
    let total: u128 = sizes.iter().map(|&size| size as u128).sum();
    if items as u128 >= total {
        return sizes.to_vec();
    }
    let quotas: Vec<u128> = sizes
        .iter()
        .map(|&size| size as u128 * items as u128)
        .collect();
    let mut shares: Vec<usize> = quotas
        .iter()
        .map(|quota| (quota / total) as usize)
        .collect();
    let left = items - shares.iter().sum::<usize>();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&task| std::cmp::Reverse(quotas[task] % total));
    for &task in &order[..left] {
        shares[task] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_goes_to_the_largest_remainders() {
        // Quotas 4.5, 2.25, 2.25: the half is largest.
        assert_eq!(shares(&[50, 25, 25], 9), [5, 2, 2]);
        // Quotas 2.5 and 2.5: the earlier.
        assert_eq!(shares(&[7, 7], 5), [3, 2]);
        assert_eq!(shares(&[3, 0, 4], 100), [3, 0, 4]);
        assert_eq!(shares(&[3, 0, 4], 0), [0, 0, 0]);
        assert_eq!(shares(&[], 4), Vec::<usize>::new());
        assert_eq!(shares(&[usize::MAX, usize::MAX], 3), [2, 1]);
    }
}
