//! Which live subscriber owns which task under `partitioned`: jump hash over a table of members.
//!
//! Members sit in numbered places and a task hashes to a place. Who joins takes the next place and 1/n
//! of the tasks; who leaves is replaced by the holder of the last place, so that about 2/n of the tasks
//! change hands. O(log n) a look-up, O(1) a change, whatever the size of the fleet.

use crate::mechanism::{Places, hash};
use crate::trace::{NodeId, SkillId, TaskId};

/// Marks a node without a place.
const NOWHERE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Member {
    skill: Option<SkillId>,
    /// Place among everybody, and among those of its skill.
    places: [u32; 2],
}

/// The members of the group.
#[derive(Clone, Debug, Default)]
pub(super) struct Shares {
    among: Places,
    /// By place among those who may be members.
    members: Vec<Option<Member>>,
    everybody: Vec<NodeId>,
    /// By skill class.
    classes: Vec<Vec<NodeId>>,
}

impl Shares {
    /// No member yet, and none ever but who is `among` these. By default node ids must be dense.
    pub(super) fn among(among: Places) -> Shares {
        Shares { among, ..Shares::default() }
    }

    /// `node` shares the work from now on; says whether it did not before. Its skill never changes.
    pub(super) fn join(&mut self, node: NodeId, skill: Option<SkillId>) -> bool {
        let place = self.among.of(node) as usize;
        if self.members.len() <= place {
            self.members.resize(place + 1, None);
        }
        if self.members[place].is_some() {
            return false;
        }
        let mut places = [self.everybody.len() as u32, NOWHERE];
        self.everybody.push(node);
        if let Some(skill) = skill {
            let class = skill.index();
            if self.classes.len() <= class {
                self.classes.resize(class + 1, Vec::new());
            }
            places[1] = self.classes[class].len() as u32;
            self.classes[class].push(node);
        }
        self.members[place] = Some(Member { skill, places });
        true
    }

    /// `node` shares no longer; says whether it did.
    pub(super) fn leave(&mut self, node: NodeId) -> bool {
        let place = self.among.of(node) as usize;
        let Some(member) = self.members.get_mut(place).and_then(Option::take) else { return false };
        let class = member.skill.map(SkillId::index);
        let lines = [Some(&mut self.everybody), class.map(|class| &mut self.classes[class])];
        for (which, line) in lines.into_iter().enumerate() {
            let Some(line) = line else { continue };
            let place = member.places[which] as usize;
            line.swap_remove(place);
            if let Some(&moved) = line.get(place) {
                let moved =
                    self.members[self.among.of(moved) as usize].as_mut().expect("who is in line is a member");
                moved.places[which] = place as u32;
            }
        }
        true
    }

    /// The member that owns `task`; `None` if nobody can do it.
    pub(super) fn owner(&self, task: TaskId, wanted: Option<SkillId>) -> Option<NodeId> {
        let line = match wanted {
            None => &self.everybody,
            Some(skill) => self.classes.get(skill.index())?,
        };
        let count = line.len() as u32;
        (count > 0).then(|| line[hash::partition(task, count) as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners(shares: &Shares, wanted: Option<SkillId>) -> Vec<Option<NodeId>> {
        (0..4_000).map(|id| shares.owner(TaskId(id), wanted)).collect()
    }

    #[test]
    fn only_members_of_the_right_skill_own_tasks() {
        let mut shares = Shares::default();
        assert_eq!(shares.owner(TaskId(0), None), None);
        assert!(shares.join(NodeId(5), Some(SkillId(0))) && !shares.join(NodeId(5), Some(SkillId(0))));
        assert!(shares.join(NodeId(6), Some(SkillId(1))) && shares.join(NodeId(7), None));
        assert_eq!(shares.owner(TaskId(0), Some(SkillId(1))), Some(NodeId(6)));
        assert_eq!(shares.owner(TaskId(0), Some(SkillId(2))), None);
        assert!(shares.leave(NodeId(6)) && !shares.leave(NodeId(6)) && !shares.leave(NodeId(99)));
        assert_eq!(shares.owner(TaskId(0), Some(SkillId(1))), None);
        assert!(owners(&shares, None).iter().all(|owner| [5, 7].contains(&owner.unwrap().0)));
    }

    /// Expected to move: 1/n on a join, (1 + (n−1)/n)/n < 2/n on a leave. n = 40: 100 and 197.5 of 4,000
    /// tasks; both binomial with a standard deviation below 14.
    #[test]
    fn few_tasks_change_hands() {
        let mut shares = Shares::default();
        for id in 0..39 {
            shares.join(NodeId(id), Some(SkillId(0)));
        }
        let before = owners(&shares, Some(SkillId(0)));
        shares.join(NodeId(39), Some(SkillId(0)));
        let joined = owners(&shares, Some(SkillId(0)));
        shares.leave(NodeId(3));
        let left = owners(&shares, Some(SkillId(0)));
        let moved =
            |a: &[Option<NodeId>], b: &[Option<NodeId>]| a.iter().zip(b).filter(|(a, b)| a != b).count();
        assert!(moved(&before, &joined).abs_diff(100) < 60, "{}", moved(&before, &joined));
        assert!(moved(&joined, &left).abs_diff(197) < 60, "{}", moved(&joined, &left));
        assert!(left.iter().all(|owner| *owner != Some(NodeId(3))));
    }
}
