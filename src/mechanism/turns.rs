//! Turns: who is next, when members come and go and belong to skill classes.
//!
//! A cursor over a vector is unfair as soon as members leave: whoever is swapped into the gap is served
//! twice or skipped. Here the member served longest ago is always next (the list is in order of last
//! service, a newcomer waits behind everyone), so between any two turns of one member every other member
//! that stayed has had exactly one. All operations are O(1); walking is O(members walked).
//!
//! A member has one skill class or none. Asking for a class finds its members only; asking for no class
//! finds everybody (model.md §3: a task without a skill can go to any agent).

use super::chain::{Ends, Links};
use super::places::Places;
use crate::trace::{NodeId, SkillId};

/// What a seat holds when nobody sits in it.
const ABSENT: u16 = u16::MAX;
/// The class of members without a skill: they are in the list of everybody only.
const CLASSLESS: u16 = 256;

/// A fair rotation of nodes by skill class. Memory is 18 bytes a place, from the first to the last seen.
#[derive(Clone, Debug, Default)]
pub struct Turns {
    places: Places,
    /// Class of each place, or `ABSENT`.
    class: Vec<u16>,
    everybody: Ends,
    everybody_links: Links,
    classes: Vec<Ends>,
    class_links: Links,
}

impl Turns {
    /// Nobody yet. Node ids must be dense, or [`Turns::among`] say how they are not.
    pub fn new() -> Turns {
        Turns::default()
    }

    /// Nobody yet, and nobody ever but who is among `places`.
    pub fn among(places: Places) -> Turns {
        Turns { places, ..Turns::default() }
    }

    /// Lets `node` wait behind everyone. Whoever is in already keeps its turn, unless its class changed.
    pub fn join(&mut self, node: NodeId, skill: Option<SkillId>) {
        let class = skill.map_or(CLASSLESS, |skill| u16::from(skill.0));
        let place = self.places.of(node);
        if self.class.len() <= place as usize {
            self.class.resize(place as usize + 1, ABSENT);
        }
        if self.class[place as usize] == class {
            return;
        }
        self.leave(node);
        self.class[place as usize] = class;
        self.append(place, class);
    }

    /// Takes `node` out. Says whether it was in.
    pub fn leave(&mut self, node: NodeId) -> bool {
        let Some((place, class)) = self.find(node) else { return false };
        self.detach(place, class);
        self.class[place as usize] = ABSENT;
        true
    }

    /// Whether `node` is in.
    pub fn contains(&self, node: NodeId) -> bool {
        self.find(node).is_some()
    }

    /// How many members can serve `wanted`.
    pub fn len(&self, wanted: Option<SkillId>) -> u32 {
        self.ends(wanted).len()
    }

    /// Whether no member can serve `wanted`.
    pub fn is_empty(&self, wanted: Option<SkillId>) -> bool {
        self.len(wanted) == 0
    }

    /// The member that can serve `wanted` and was served longest ago; it goes to the end of the line.
    pub fn next(&mut self, wanted: Option<SkillId>) -> Option<NodeId> {
        let place = self.ends(wanted).first()?;
        self.move_back(place, self.class[place as usize]);
        Some(self.places.node(place))
    }

    /// Gives `node` its turn out of order: it goes to the end of the line. Nothing if it is not in.
    pub fn serve(&mut self, node: NodeId) {
        if let Some((place, class)) = self.find(node) {
            self.move_back(place, class);
        }
    }

    /// Everyone who can serve `wanted`, in the order of their turns, leaving those as they are.
    pub fn iter(&self, wanted: Option<SkillId>) -> impl Iterator<Item = NodeId> + '_ {
        let links = if wanted.is_none() { &self.everybody_links } else { &self.class_links };
        let ends = self.ends(wanted);
        links.iter(ends).map(|place| self.places.node(place))
    }

    /// The place and the class of `node`, if it is in.
    fn find(&self, node: NodeId) -> Option<(u32, u16)> {
        let place = self.places.of(node);
        let class = self.class.get(place as usize).copied().filter(|&class| class != ABSENT)?;
        Some((place, class))
    }

    fn ends(&self, wanted: Option<SkillId>) -> Ends {
        match wanted {
            None => self.everybody,
            Some(skill) => self.classes.get(skill.index()).copied().unwrap_or_default(),
        }
    }

    fn move_back(&mut self, place: u32, class: u16) {
        self.detach(place, class);
        self.append(place, class);
    }

    fn append(&mut self, place: u32, class: u16) {
        self.everybody_links.push_back(&mut self.everybody, place);
        if class != CLASSLESS {
            let class = usize::from(class);
            if self.classes.len() <= class {
                self.classes.resize(class + 1, Ends::default());
            }
            self.class_links.push_back(&mut self.classes[class], place);
        }
    }

    fn detach(&mut self, place: u32, class: u16) {
        self.everybody_links.remove(&mut self.everybody, place);
        if class != CLASSLESS {
            self.class_links.remove(&mut self.classes[usize::from(class)], place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn skilled(class: u8) -> Option<SkillId> {
        Some(SkillId(class))
    }

    fn nodes(ids: &[u32]) -> Vec<NodeId> {
        ids.iter().map(|&id| NodeId(id)).collect()
    }

    #[test]
    fn a_turn_in_one_line_counts_in_the_other() {
        let mut turns = Turns::new();
        for id in 0..4 {
            turns.join(NodeId(id), Some(SkillId((id % 2) as u8)));
        }
        assert_eq!(turns.next(skilled(0)), Some(NodeId(0)));
        // 0 has just been served for its skill, so it is last for everyone too.
        assert_eq!(turns.iter(None).collect::<Vec<_>>(), nodes(&[1, 2, 3, 0]));
        assert_eq!(turns.next(None), Some(NodeId(1)));
        assert_eq!(turns.iter(skilled(1)).collect::<Vec<_>>(), nodes(&[3, 1]));
        assert_eq!(turns.next(skilled(7)), None);
    }

    #[test]
    fn a_member_without_a_skill_serves_only_what_needs_none() {
        let mut turns = Turns::new();
        turns.join(NodeId(5), None);
        assert_eq!((turns.len(None), turns.len(skilled(0))), (1, 0));
        turns.join(NodeId(5), skilled(0));
        assert_eq!((turns.len(None), turns.len(skilled(0))), (1, 1));
        assert!(turns.leave(NodeId(5)) && !turns.leave(NodeId(5)) && turns.is_empty(None));
    }

    proptest! {
        /// Whatever joins and leaves happen in between, two members that stay alternate.
        #[test]
        fn members_that_stay_alternate(moves in prop::collection::vec((0u32..8, any::<bool>()), 1..200)) {
            let mut turns = Turns::new();
            turns.join(NodeId(100), skilled(1));
            turns.join(NodeId(101), skilled(1));
            let mut served = Vec::new();
            for (id, joins) in moves {
                if joins { turns.join(NodeId(id), skilled(1)) } else { turns.leave(NodeId(id)); }
                prop_assert_eq!(turns.iter(skilled(1)).count(), turns.len(skilled(1)) as usize);
                let next = turns.next(skilled(1)).unwrap();
                if next.0 >= 100 {
                    served.push(next);
                }
            }
            prop_assert!(served.windows(2).all(|pair| pair[0] != pair[1]), "{:?}", served);
        }
    }
}
