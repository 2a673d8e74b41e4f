//! A handler's only way out: it emits commands, which `World` carries out when the handler returns.

use super::protocol::{Message, Protocol, Seats};
use super::state::Choices;
use crate::engine::{Key, Rng, Span, Time};
use crate::trace::{Ending, ExecutionId, Fact, NodeId, Output, Phase, Plane, TaskId};
use crate::work::{Fleet, TaskCard, Tasks};

/// The context type of a protocol's handlers.
pub type CxOf<'a, P> = Cx<'a, <P as Protocol>::Msg, <P as Protocol>::Timer>;

/// A timer, for cancelling it. A timer that fired or was cancelled is gone; its id is harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerId {
    pub(super) slot: u32,
    pub(super) generation: u32,
}

/// How much thought or handling something takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effort {
    /// This long at speed 1.
    Time(Span),
    /// The cost of handling a message of this kind (position in `Message::KINDS`) with this many tokens.
    Like {
        /// Position in `Message::KINDS`.
        kind: usize,
        /// Tokens read or written.
        tokens: u32,
    },
}

/// What a handler asked for.
#[derive(Clone, Debug)]
pub(super) enum Command<M, T> {
    Send { to: NodeId, msg: M },
    Timer { id: TimerId, wait: Span, then: T },
    CancelTimer(TimerId),
    Work { task: TaskId, execution: ExecutionId, then: T },
    Abandon(ExecutionId),
    Verify { output: Output, then: T },
    Occupy { plane: Plane, phase: Phase, effort: Effort, then: T },
    Settle { task: TaskId, output: Output },
    End { task: TaskId, how: Ending },
    Note(Fact),
}

/// Numbers given out before the command that uses them is carried out.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// Generation of each timer slot.
    pub(super) generations: Vec<u32>,
    pub(super) free: Vec<u32>,
    pub(super) executions: u32,
}

impl Ids {
    fn timer(&mut self) -> TimerId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.generations.push(0);
            self.generations.len() as u32 - 1
        });
        // Whatever had this slot before has another number from here on, and so does no harm.
        let generation = &mut self.generations[slot as usize];
        *generation = generation.wrapping_add(1);
        TimerId { slot, generation: *generation }
    }
    /// Whether no later timer has the slot of this one.
    pub(super) fn is_last(&self, id: TimerId) -> bool {
        self.generations[id.slot as usize] == id.generation
    }
    fn execution(&mut self) -> ExecutionId {
        let id = ExecutionId(self.executions);
        self.executions = self.executions.checked_add(1).expect("fewer than 2^32 executions a run");
        id
    }
}

/// What all handlers of a run share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shared<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) tasks: &'a Tasks,
    pub(super) seats: &'a Seats,
    pub(super) choices: Key,
}

/// The context of one handler call.
#[derive(Debug)]
pub struct Cx<'a, M, T> {
    pub(super) now: Time,
    pub(super) me: NodeId,
    pub(super) shared: Shared<'a>,
    pub(super) commands: &'a mut Vec<Command<M, T>>,
    pub(super) ids: &'a mut Ids,
    pub(super) choice: &'a mut Choices,
}

impl<'a, M: Message, T: Copy> Cx<'a, M, T> {
    /// The time.
    pub fn now(&self) -> Time {
        self.now
    }
    /// Who I am.
    pub fn me(&self) -> NodeId {
        self.me
    }
    /// Everyone who may take part. Says nothing about who is up.
    pub fn fleet(&self) -> &'a Fleet {
        self.shared.fleet
    }
    /// Who has a special role.
    pub fn seats(&self) -> &'a Seats {
        self.shared.seats
    }
    /// What may be known of `task`.
    pub fn task(&self, task: TaskId) -> &'a TaskCard {
        self.shared.tasks.card(task)
    }
    /// A stream of my own for one choice, addressed by (me, how many choices I made before).
    pub fn rng(&mut self) -> Rng {
        let ordinal = self.choice.made;
        self.choice.made += 1;
        self.shared.choices.stream(self.choice.address, ordinal)
    }
    /// Sends `msg`. Free; it may never arrive, and nobody will say why.
    pub fn send(&mut self, to: NodeId, msg: M) {
        self.commands.push(Command::Send { to, msg });
    }
    /// Calls `on_timer(then)` after `wait`, unless I crash first.
    pub fn set_timer(&mut self, wait: Span, then: T) -> TimerId {
        let id = self.ids.timer();
        self.commands.push(Command::Timer { id, wait, then });
        id
    }
    /// Takes a timer back. Harmless if it is gone.
    pub fn cancel(&mut self, timer: TimerId) {
        self.commands.push(Command::CancelTimer(timer));
    }
    /// Begins to execute `task` once my cognition is free; ends in `on_work(…, then)`. Agents only.
    pub fn work(&mut self, task: TaskId, then: T) -> ExecutionId {
        let execution = self.ids.execution();
        self.commands.push(Command::Work { task, execution, then });
        execution
    }
    /// Gives up an execution of mine. Harmless if it ended.
    pub fn abandon(&mut self, execution: ExecutionId) {
        self.commands.push(Command::Abandon(execution));
    }
    /// Checks `output`; costs cognition, ends in `on_work(…, then)`. Agents only.
    pub fn verify(&mut self, output: Output, then: T) {
        self.commands.push(Command::Verify { output, then });
    }
    /// Thinks or composes: occupies `plane` for `effort`, booked under `phase`, then `on_timer(then)`.
    pub fn occupy(&mut self, plane: Plane, phase: Phase, effort: Effort, then: T) {
        self.commands.push(Command::Occupy { plane, phase, effort, then });
    }
    /// Makes `output` the answer to `task`. The first one is accepted.
    pub fn settle(&mut self, task: TaskId, output: Output) {
        self.commands.push(Command::Settle { task, output });
    }
    /// Ends `task` without an answer.
    pub fn end(&mut self, task: TaskId, how: Ending) {
        self.commands.push(Command::End { task, how });
    }
    /// Tells the record something about the protocol. Changes nothing.
    pub fn note(&mut self, fact: Fact) {
        self.commands.push(Command::Note(fact));
    }

    /// Runs part of the handler as another protocol whose messages and timers are wrapped in mine: the
    /// way a pattern embeds another. Messages and `then` tokens are lifted alike.
    pub fn nest<M2: Message, T2: Copy>(
        &mut self,
        msg: fn(M2) -> M,
        timer: fn(T2) -> T,
        inner: impl FnOnce(&mut Cx<'_, M2, T2>),
    ) {
        let mut commands = Vec::new();
        let mut cx = Cx {
            now: self.now,
            me: self.me,
            shared: self.shared,
            commands: &mut commands,
            ids: self.ids,
            choice: self.choice,
        };
        inner(&mut cx);
        self.commands.extend(commands.into_iter().map(|command| command.lift(msg, timer)));
    }
}

impl<M2, T2> Command<M2, T2> {
    fn lift<M, T>(self, msg: fn(M2) -> M, timer: fn(T2) -> T) -> Command<M, T> {
        match self {
            Command::Send { to, msg: inner } => Command::Send { to, msg: msg(inner) },
            Command::Timer { id, wait, then } => Command::Timer { id, wait, then: timer(then) },
            Command::CancelTimer(id) => Command::CancelTimer(id),
            Command::Work { task, execution, then } => Command::Work { task, execution, then: timer(then) },
            Command::Abandon(execution) => Command::Abandon(execution),
            Command::Verify { output, then } => Command::Verify { output, then: timer(then) },
            Command::Occupy { plane, phase, effort, then } => {
                Command::Occupy { plane, phase, effort, then: timer(then) }
            }
            Command::Settle { task, output } => Command::Settle { task, output },
            Command::End { task, how } => Command::End { task, how },
            Command::Note(fact) => Command::Note(fact),
        }
    }
}
