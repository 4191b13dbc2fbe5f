//! What a person does in Teams, by id or user principal name: the one place behind the page, the control plane and the
//! library.

use crate::config::NewUser;
use crate::duration::{self, Milliseconds};
use crate::error::ControlError;
use crate::journal::{Detail, Write};
use crate::preferred::{Preferred, default_duration};
use crate::shell::{Shell, World};
use crate::state::{Moment, UserState, UserSummary};
use crate::user::CallKind;
use crate::value::{Device, Shown};

impl Shell {
    /// Everybody.
    pub(crate) fn users(&self) -> Vec<UserSummary> {
        self.with(|world, _| world.tenant.users.iter().map(UserSummary::of).collect())
    }

    /// The ground truth about a person.
    pub(crate) fn user_state(&self, id: &str) -> Result<UserState, ControlError> {
        self.act(id, |_, _, _| Ok(None))
    }

    /// Creates a person.
    pub(crate) fn create_user(&self, new: &NewUser) -> Result<UserState, ControlError> {
        let id = self.with(|world, now| {
            let index = world.add_user(new, now)?;
            log(
                world,
                index,
                now,
                Write {
                    operation: "createUser",
                    ..Write::default()
                },
            );
            Ok(world.tenant.users[index].id.clone())
        })?;
        self.user_state(&id)
    }

    /// Signs a client in.
    pub(crate) fn sign_in(&self, id: &str, device: Device) -> Result<UserState, ControlError> {
        self.act(id, |world, index, now| {
            world.tenant.sign_in(index, device, now);
            Ok(Some(Write {
                operation: "signIn",
                target: Some(device.name().into()),
                ..Write::default()
            }))
        })
    }

    /// Signs one client or all out, after the grace or at once.
    pub(crate) fn sign_out(
        &self,
        id: &str,
        device: Option<Device>,
        at_once: bool,
    ) -> Result<UserState, ControlError> {
        self.act(id, |world, index, now| {
            world.tenant.sign_out(index, device, at_once, now);
            let target = device.map(|device| device.name().into());
            Ok(Some(Write {
                operation: "signOut",
                target,
                ..Write::default()
            }))
        })
    }

    /// Says whether a client is in use: `active`, `idle` or `locked`.
    pub(crate) fn attend(
        &self,
        id: &str,
        device: Device,
        word: &str,
    ) -> Result<UserState, ControlError> {
        self.act(id, |world, index, now| {
            let attention = World::attention(word, now).ok_or_else(|| {
                ControlError::invalid(
                    "attention",
                    word,
                    "is not known",
                    "give active, idle or locked",
                )
            })?;
            world.tenant.attend(index, device, attention, now);
            Ok(Some(Write {
                operation: "attend",
                target: Some(word.into()),
                ..Write::default()
            }))
        })
    }

    /// Starts or changes a call.
    pub(crate) fn start_call(
        &self,
        id: &str,
        kind: CallKind,
        with: Option<&str>,
    ) -> Result<UserState, ControlError> {
        if kind == CallKind::Sharing {
            let remedy = "give audio or video; PUT …/sharing shares without a call";
            return Err(ControlError::invalid(
                "kind",
                kind.name(),
                "is not a kind of call",
                remedy,
            ));
        }
        self.act(id, |world, index, now| {
            let with = partner(world, with)?;
            world.tenant.start_call(index, kind, with, now)?;
            let operation = if kind == CallKind::Video {
                "videoCall"
            } else {
                "audioCall"
            };
            Ok(Some(Write {
                operation,
                target: name(world, with),
                ..Write::default()
            }))
        })
    }

    /// Ends the call.
    pub(crate) fn end_call(&self, id: &str) -> Result<UserState, ControlError> {
        self.act(id, |world, index, now| {
            world.tenant.end_call(index, now);
            Ok(Some(Write {
                operation: "endCall",
                ..Write::default()
            }))
        })
    }

    /// Shares the screen.
    pub(crate) fn start_sharing(
        &self,
        id: &str,
        with: Option<&str>,
    ) -> Result<UserState, ControlError> {
        self.act(id, |world, index, now| {
            let with = partner(world, with)?;
            world.tenant.start_sharing(index, with, now)?;
            Ok(Some(Write {
                operation: "startSharing",
                target: name(world, with),
                ..Write::default()
            }))
        })
    }

    /// Stops sharing.
    pub(crate) fn stop_sharing(&self, id: &str) -> Result<UserState, ControlError> {
        self.act(id, |world, index, now| {
            world.tenant.stop_sharing(index, now);
            Ok(Some(Write {
                operation: "stopSharing",
                ..Write::default()
            }))
        })
    }

    /// Chooses a status by hand. Without an activity the one that belongs to the availability is taken.
    pub(crate) fn set_manual(
        &self,
        id: &str,
        availability: &str,
        activity: Option<&str>,
        expiration_duration: Option<&str>,
    ) -> Result<UserState, ControlError> {
        let pairs = Shown::PREFERRED_PAIRS;
        let shown = match activity {
            Some(activity) => Shown::find(&pairs, availability, activity),
            None => pairs.into_iter().find(|pair| {
                pair.availability
                    .as_str()
                    .eq_ignore_ascii_case(availability)
            }),
        };
        let Some(shown) = shown else {
            let given = activity.map_or_else(
                || availability.to_owned(),
                |activity| format!("{availability}/{activity}"),
            );
            let list: Vec<_> = pairs.iter().map(Shown::to_string).collect();
            let remedy = format!("choose one of {}", list.join(", "));
            return Err(ControlError::invalid(
                "availability",
                &given,
                "cannot be chosen by hand",
                &remedy,
            ));
        };
        let lasts = match expiration_duration {
            None => default_duration(shown),
            Some(text) => duration::parse(text)
                .filter(|lasts| *lasts > 0)
                .ok_or_else(|| {
                    let remedy = "give an ISO 8601 duration such as PT1H, or leave it out";
                    ControlError::invalid(
                        "expirationDuration",
                        text,
                        "is not a usable duration",
                        remedy,
                    )
                })?,
        };
        self.act(id, |world, index, now| {
            let ends = now.saturating_add(lasts);
            world
                .tenant
                .choose(index, Some(Preferred { shown, ends }), now);
            Ok(Some(Write {
                operation: "setManual",
                target: None,
                shown: Some(shown),
                expires: Some(Moment(ends)),
            }))
        })
    }

    /// Resets the status chosen by hand.
    pub(crate) fn clear_manual(&self, id: &str) -> Result<UserState, ControlError> {
        self.act(id, |world, index, now| {
            world.tenant.choose(index, None, now);
            Ok(Some(Write {
                operation: "clearManual",
                ..Write::default()
            }))
        })
    }

    /// Does something to a person, notes it, and returns the ground truth afterwards.
    fn act(
        &self,
        id: &str,
        act: impl FnOnce(&mut World, usize, Milliseconds) -> Result<Option<Write>, ControlError>,
    ) -> Result<UserState, ControlError> {
        self.with(|world, now| {
            let index = world.tenant.find_any(id)?;
            if let Some(write) = act(world, index, now)? {
                log(world, index, now, write);
            }
            Ok(UserState::of(
                &world.tenant,
                &world.tenant.users[index],
                now,
            ))
        })
    }
}

fn log(world: &mut World, index: usize, now: Milliseconds, write: Write) {
    let user = world.tenant.users[index].guid;
    let cause = crate::change::Cause::Teams(write.operation);
    world
        .journal
        .push(now, "write", Some(user), Detail::Write(write), Some(cause));
}

fn partner(world: &World, with: Option<&str>) -> Result<Option<usize>, ControlError> {
    let found = with.map(|id| world.tenant.find_any(id)).transpose();
    found.map_err(|error| ControlError {
        field: "with",
        ..error
    })
}

fn name(world: &World, with: Option<usize>) -> Option<Box<str>> {
    with.and_then(|index| world.tenant.user(index))
        .map(|user| user.id.clone())
}
