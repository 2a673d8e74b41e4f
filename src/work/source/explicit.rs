//! Tasks written out one by one, for tests and textbook cases.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Arrival, Laws, Named};
use crate::engine::{Key, Span, Time};
use crate::trace::TaskId;
use crate::work::TaskSpec;

/// One task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskRow {
    /// When it arrives. Default "0s".
    #[serde(default)]
    pub at: Time,
    /// True work \[time at speed 1\]. Default: as `[work]` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<Span>,
    /// Skill class it needs. Default: as `[work]` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
    /// Class it belongs to, of `[[work.classes]]`. Default: drawn by their shares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Site of the client that asks. Default: drawn by the shares of `[clients]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Tokens that must be read to understand it. Default: as `[work]` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u32>,
    /// Time allowed after arrival. Default: as `[work]` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Span>,
    /// Worth of a correct answer \[money\]. Default: as `[work]` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Positions in this list, from 0, of the tasks that must be accepted first. Default: none.
    #[serde(default)]
    pub after: Vec<u32>,
}

/// The tasks of `rows`, in order of arrival. `names` says what a row's names stand for.
pub(super) fn tasks(
    rows: &[TaskRow],
    laws: Laws<'_>,
    key: Key,
    names: impl Fn(&TaskRow) -> Named,
) -> Vec<TaskSpec> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&row| rows[row].at);
    let mut position = vec![TaskId(0); rows.len()];
    for (new, &row) in order.iter().enumerate() {
        position[row] = TaskId(new as u32);
    }
    let task = |(entity, &index): (usize, &usize)| {
        let (row, entity) = (&rows[index], entity as u64);
        let Named { skill, origin, class } = names(row);
        let laws = class.map_or_else(|| laws.of(key, entity), |class| &laws.parts[class.index()]);
        let origin = origin.unwrap_or_else(|| laws.origin(key, entity));
        let mut task = laws.draw(key, entity, &Arrival::at(row.at), origin);
        if let Some(work) = row.work {
            task.work = work;
            task.card.estimate = laws.estimate(key, entity, work);
        }
        task.card.job = index as u32;
        task.card.skill = skill.or(task.card.skill);
        task.card.context_tokens = row.context_tokens.unwrap_or(task.card.context_tokens);
        task.card.deadline = row.deadline.or(task.card.deadline);
        task.card.value = row.value.map_or(task.card.value, |value| value as f32);
        task.predecessors = row.after.iter().map(|&row| position[row as usize]).collect();
        task
    };
    order.iter().enumerate().map(task).collect()
}

#[cfg(test)]
mod tests {
    use super::super::WorkLaw;
    use super::super::task::tests::laws;
    use super::*;
    use crate::engine::{Law, Purpose, Seed};
    use crate::trace::{SiteId, SkillId};

    #[test]
    fn rows_are_put_in_order_and_keep_who_waits_for_whom() {
        let row = |at, after: &[u32]| TaskRow {
            at: Time::from_secs(at),
            after: after.to_vec(),
            ..TaskRow::default()
        };
        let rows = [row(5, &[1]), TaskRow { work: Some(Span::from_secs(3)), ..row(2, &[]) }];
        let laws = laws(WorkLaw::Duration(Law::fixed(Span::from_secs(7))));
        let named = Named { skill: Some(SkillId(2)), origin: Some(SiteId(3)), class: None };
        let laws = Laws { base: &laws, parts: &[], shares: &[] };
        let tasks = tasks(&rows, laws, Seed(1).key(0, Purpose::Task), |_| named);
        assert_eq!(tasks.iter().map(|task| task.work).collect::<Vec<_>>(), [3, 7].map(Span::from_secs));
        assert_eq!(tasks[1].predecessors, [TaskId(0)]);
        assert_eq!((tasks[0].card.skill, tasks[0].card.origin), (Some(SkillId(2)), SiteId(3)));
    }
}
