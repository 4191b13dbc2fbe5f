//! Actions of people in Teams, named by object id or user principal name. Page, control plane and library all use them.

use crate::{
    calendar::CalendarKind,
    change::Cause,
    config::NewUser,
    directory::Profile,
    duration::{self, Milliseconds},
    error::{ControlError, ControlErrorKind},
    journal::{Detail, Write},
    knobs::Knobs,
    preferred::{Preferred, default_duration},
    random::Random,
    rules::Rules,
    shell::Shell,
    state::{Moment, UserState, UserSummary},
    status::Layer,
    user::CallKind,
    value::{Device, Shown},
    world::World,
};

/// A change of a person. Fields that are left out stay.
#[derive(Debug, Default)]
pub(crate) struct UserChange {
    pub(crate) display_name: Option<String>,
    pub(crate) user_principal_name: Option<String>,
    /// Directory fields with their new values.
    pub(crate) profile: serde_json::Map<String, serde_json::Value>,
    /// `Some(None)` removes the password.
    pub(crate) password: Option<Option<String>>,
    pub(crate) federated: Option<bool>,
    pub(crate) second_factor: Option<bool>,
    /// Scheduled work location: its kind and its place.
    pub(crate) scheduled_location: Option<(&'static str, Option<String>)>,
}

impl Shell {
    /// All people.
    pub(crate) fn users(&self) -> Vec<UserSummary> {
        self.with(|world, _| world.tenant.people().map(UserSummary::of).collect())
    }

    /// The complete state of a person.
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

    /// Signs one client or all clients out, after the grace period or at once.
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

    /// Sets the use of a client: `active`, `idle` or `locked`.
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
            let remedy = "give audio, video or meeting; PUT …/sharing shares without a call";
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
            let operation = match kind {
                CallKind::Video => "videoCall",
                CallKind::Meeting => "joinMeeting",
                _ => "audioCall",
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

    /// Sets the status manually. Without an activity the one that belongs to the availability is used.
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
                "cannot be set manually",
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

    /// Resets the manual status.
    pub(crate) fn clear_manual(&self, id: &str) -> Result<UserState, ControlError> {
        self.act(id, |world, index, now| {
            world.tenant.choose(index, None, now);
            Ok(Some(Write {
                operation: "clearManual",
                ..Write::default()
            }))
        })
    }

    /// Adds an entry to the calendar; returns its id and the person's state.
    pub(crate) fn plan(
        &self,
        id: &str,
        kind: CalendarKind,
        starts: Option<Milliseconds>,
        lasts: Milliseconds,
        subject: &str,
    ) -> Result<(u64, UserState), ControlError> {
        let mut entry = 0;
        let state = self.act(id, |world, index, now| {
            let starts = starts.unwrap_or(now);
            let calendar = &mut world.tenant.users[index].calendar;
            entry = calendar
                .add(kind, starts, starts.saturating_add(lasts), subject, now)
                .ok_or_else(|| {
                    ControlError::invalid(
                        "calendar",
                        subject,
                        "exceeds the limit",
                        "remove entries of that person first",
                    )
                })?;
            world
                .tenant
                .refresh(index, now, Cause::Teams("calendar entry added"));
            Ok(Some(Write {
                operation: "addCalendarEntry",
                target: Some(entry.to_string().into()),
                ..Write::default()
            }))
        })?;
        Ok((entry, state))
    }

    /// Removes an entry from the calendar.
    pub(crate) fn unplan(&self, id: &str, entry: u64) -> Result<UserState, ControlError> {
        self.act(id, |world, index, now| {
            if !world.tenant.users[index].calendar.remove(entry) {
                return Err(ControlError::new(
                    ControlErrorKind::NotFound,
                    "entry",
                    &entry.to_string(),
                    "is not in the calendar",
                    "take an id from GET /box/v1/users/{id}",
                ));
            }
            world
                .tenant
                .refresh(index, now, Cause::Teams("calendar entry removed"));
            Ok(Some(Write {
                operation: "removeCalendarEntry",
                target: Some(entry.to_string().into()),
                ..Write::default()
            }))
        })
    }

    /// Changes directory and account of a person.
    pub(crate) fn change_user(
        &self,
        id: &str,
        change: &UserChange,
    ) -> Result<UserState, ControlError> {
        self.act(id, |world, index, _| {
            // Everything is checked before anything is changed.
            Profile::check(&change.profile)?;
            if change.display_name.is_some() || change.user_principal_name.is_some() {
                let (display, upn) = (
                    change.display_name.as_deref(),
                    change.user_principal_name.as_deref(),
                );
                world.tenant.rename(index, display, upn)?;
            }
            world.tenant.revision += 1;
            let revision = world.tenant.revision;
            let user = &mut world.tenant.users[index];
            user.profile.set(&change.profile, revision);
            if let Some(password) = &change.password {
                user.account.password = password.as_deref().map(Into::into);
            }
            if let Some(federated) = change.federated {
                user.account.federated = federated;
            }
            if let Some(second_factor) = change.second_factor {
                user.account.second_factor = second_factor;
            }
            if let Some((kind, place)) = &change.scheduled_location {
                user.location
                    .set(Layer::Scheduled, kind, place.as_deref(), 0);
            }
            Ok(Some(Write {
                operation: "changeUser",
                ..Write::default()
            }))
        })
    }

    /// Deletes a person: restorable for 30 days, or permanently.
    pub(crate) fn delete_user(&self, id: &str, for_good: bool) -> Result<(), ControlError> {
        self.with(|world, now| {
            let index = world.tenant.find_any(id)?;
            let guid = world.tenant.users[index].guid;
            world.signins.revoke(guid);
            world.tenant.remove(index, for_good, now);
            let write = Write {
                operation: "deleteUser",
                ..Write::default()
            };
            log(world, index, now, write);
            Ok(())
        })
    }

    /// Revokes all refresh tokens of a person; returns their number.
    pub(crate) fn revoke(&self, id: &str) -> Result<usize, ControlError> {
        self.with(|world, now| {
            let index = world.tenant.find_any(id)?;
            let revoked = world.signins.revoke(world.tenant.users[index].guid);
            let write = Write {
                operation: "revokeSignIns",
                ..Write::default()
            };
            log(world, index, now, write);
            Ok(revoked)
        })
    }

    /// Allows or declines the sign-in of a waiting device.
    pub(crate) fn answer_device(
        &self,
        code: &str,
        user: Option<&str>,
        allow: bool,
    ) -> Result<bool, ControlError> {
        self.with(|world, now| {
            let user = if allow {
                let index = world.tenant.find_any(user.unwrap_or_default())?;
                Some(world.tenant.users[index].guid)
            } else {
                None
            };
            if world.signins.answer(code, user, now) {
                return Ok(allow);
            }
            Err(ControlError::new(
                ControlErrorKind::NotFound,
                "userCode",
                code,
                "is not waiting for an answer",
                "take the user_code of a device code request of the last 15 minutes",
            ))
        })
    }

    /// Changes the knobs.
    pub(crate) fn set_knobs(&self, knobs: Knobs) {
        self.with(|world, now| {
            world.tenant.apply(Rules::of(&knobs), now);
            // A new seed restarts the random numbers. Another knob must not: the numbers of this run would repeat.
            if knobs.seed != world.knobs.seed {
                world.random = Random::new(knobs.seed);
            }
            world.knobs = knobs;
        });
    }

    /// Applies an action to a person and records it in the journal; returns the person's state afterwards.
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
                &world.knobs,
                now,
            ))
        })
    }
}

fn log(world: &mut World, index: usize, now: Milliseconds, write: Write) {
    let user = world.tenant.users[index].guid;
    let cause = Cause::Teams(write.operation);
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
