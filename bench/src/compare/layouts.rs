//! One program in many layouts: the same machine code, its functions in other orders.
//!
//! Where a function lies decides which lines of the caches and which entries of the branch
//! predictor it shares with others, and is worth some percent: two links of the same code are two
//! draws (Mytkowicz et al., ASPLOS 2009; Curtsinger and Berger, ASPLOS 2013). A commit that changes
//! one function moves all behind it, so with one link a side, luck would be taken for the commit's
//! doing. Each side is therefore linked in as many orders as [`LAYOUTS`] says, and every pair of
//! processes draws one of each side's: luck becomes noise that pairs average.
//!
//! The linker does it (`--shuffle-sections`: LLD's, and what others took over from it). With one that
//! cannot there is one layout, and that is said.

use std::path::PathBuf;

/// In so many orders a program is linked. A layout's luck is about 1 % (`METHODOLOGY.md`): the mean of
/// thirty-two is within 0.2 % of what all would give, and that is how well a side can be known.
pub const LAYOUTS: u32 = 32;

/// The same program in its layouts: at least one, all under paths of the same length.
pub type Layouts = Vec<PathBuf>;

/// The linker's flag for a layout; none for the first, which is the linker's own order.
#[must_use]
pub fn flag(layout: u32) -> Option<String> {
    (layout > 0).then(|| format!("link-arg=-Wl,--shuffle-sections=.text*={layout}"))
}

/// Draws the layouts of a side: each as often as any other, in an order that chance decides.
#[derive(Clone, Debug)]
pub struct Deck<'a> {
    layouts: &'a [PathBuf],
    left: Vec<usize>,
}

impl<'a> Deck<'a> {
    /// All of them, none drawn.
    #[must_use]
    pub fn new(layouts: &'a [PathBuf]) -> Deck<'a> {
        Deck { layouts, left: Vec::new() }
    }

    /// The next.
    pub fn draw(&mut self, random: &mut fastrand::Rng) -> &'a PathBuf {
        if self.left.is_empty() {
            self.left.extend(0..self.layouts.len());
            random.shuffle(&mut self.left);
        }
        &self.layouts[self.left.pop().unwrap_or_default()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_layout_is_drawn_as_often_as_any_other() {
        let layouts: Layouts = ["a", "b", "c"].map(PathBuf::from).into();
        let (mut deck, mut random) = (Deck::new(&layouts), fastrand::Rng::with_seed(1));
        for _ in 0..3 {
            let drawn = [(); 3].map(|()| deck.draw(&mut random));
            assert!(layouts.iter().all(|layout| drawn.contains(&layout)), "{drawn:?}");
        }
    }

    #[test]
    fn the_first_layout_is_the_linkers_own() {
        assert_eq!(flag(0), None);
        assert_ne!(flag(1), flag(2));
    }
}
