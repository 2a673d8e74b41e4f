//! Dense numbers for whatever a run has many of. Each indexes a `Vec`; none means anything outside its run.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl $name {
            /// The same number, for indexing.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id! {
    /// Any participant. Relays come first, then clients, then agents, so that one more agent renumbers
    /// nobody.
    NodeId(u32)
}
id! {
    /// A place with a latency to every other place.
    SiteId(u16)
}
id! {
    /// A skill class. Each agent has exactly one; a task may ask for one.
    SkillId(u8)
}
id! {
    /// A class of tasks: a kind of request, or a stage of a job. Each task has exactly one.
    ClassId(u16)
}
id! {
    /// What was asked.
    TaskId(u32)
}
id! {
    /// One attempt at a task by one agent.
    ExecutionId(u32)
}
id! {
    /// A letter under way or waiting; the number is used again once the letter is gone.
    LetterId(u32)
}

/// The answer an execution produced. Whether it is correct is known to `World` alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Output {
    /// The task it answers.
    pub task: TaskId,
    /// The execution that produced it.
    pub execution: ExecutionId,
    /// What it says, for comparing outputs: correct outputs of one task agree, wrong ones differ.
    pub digest: u64,
}
