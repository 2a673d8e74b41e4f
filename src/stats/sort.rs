//! Sorting many numbers by their digits: what the percentiles of a run of a million tasks begin with.
//!
//! Least significant digit first (Knuth, "The Art of Computer Programming" 3, §5.2.5): two passes over the
//! numbers for every digit in which they differ, whatever their order, where comparing takes log₂ n passes.

/// Bits of a digit: its counters (16 kB) stay in the fastest cache.
const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 1 << DIGIT_BITS;
/// Fewer numbers than this are sorted by comparing.
const FEW: usize = 1_024;

/// Sorts numbers in rising order.
pub fn sort(numbers: &mut Vec<u64>) {
    if numbers.len() < FEW {
        numbers.sort_unstable();
        return;
    }
    let first = numbers[0];
    let differ = numbers.iter().fold(0, |differ, number| differ | (number ^ first));
    let mut sorted = vec![0; numbers.len()];
    let mut counts = vec![0_usize; DIGITS];
    for shift in (0..u64::BITS).step_by(DIGIT_BITS as usize) {
        let digit = |number: u64| (number >> shift) as usize % DIGITS;
        if digit(differ) == 0 {
            continue;
        }
        counts.fill(0);
        numbers.iter().for_each(|&number| counts[digit(number)] += 1);
        let mut place = 0;
        for count in &mut counts {
            place += std::mem::replace(count, place);
        }
        for &number in numbers.iter() {
            let place = &mut counts[digit(number)];
            sorted[*place] = number;
            *place += 1;
        }
        std::mem::swap(numbers, &mut sorted);
    }
}

/// The same for numbers that are zero or above and not NaN, infinity among them.
///
/// # Panics
/// In debug builds, if a number is negative or NaN.
pub fn sorted(numbers: Vec<f64>) -> Vec<f64> {
    debug_assert!(numbers.iter().all(|number| *number >= 0.0), "numbers above zero");
    // Their bits are in the order of the numbers. Adding zero makes −0 the zero it is equal to.
    let mut bits: Vec<u64> = numbers.into_iter().map(|number| (number + 0.0).to_bits()).collect();
    sort(&mut bits);
    bits.into_iter().map(f64::from_bits).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    #[test]
    fn digits_sort_as_comparisons_do() {
        let mut sample = Sample(5);
        for (count, scale) in [(0, 1.0), (1, 1.0), (1_023, 1e6), (1_024, 1e6), (5_000, 1e19), (4_096, 3.0)] {
            let numbers: Vec<u64> = (0..count).map(|_| (sample.uniform() * scale) as u64).collect();
            let (mut ours, mut theirs) = (numbers.clone(), numbers);
            sort(&mut ours);
            theirs.sort_unstable();
            assert_eq!(ours, theirs, "{count} numbers below {scale}");
        }
        let mut extremes = [u64::MAX, 0, 1, u64::MAX - 1].repeat(500);
        sort(&mut extremes);
        assert!(extremes.is_sorted());
    }

    #[test]
    fn numbers_that_are_not_whole_are_sorted_by_their_bits() {
        let mut sample = Sample(6);
        let mut numbers = sample.many(3_000, |s| s.uniform() * 1e3);
        numbers.extend([0.0, -0.0, f64::INFINITY, f64::MIN_POSITIVE, 5e-324]);
        let ours = sorted(numbers.clone());
        numbers.sort_by(f64::total_cmp);
        assert_eq!(ours, numbers);
    }
}
