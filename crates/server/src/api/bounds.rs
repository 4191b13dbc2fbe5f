//! What location administrators may not set, though it stands on a page that they administer: what lets viewers act for
//! people, what takes people their own word on who sees what, and where the calls of a person go.

use presence::{
    Forwarding, OwnerPolicy, Permission, PersonId, Relationship, Setting, SettingValues,
    SettingsGroup, UserOverride, Value, same_name,
};

use crate::{
    caller::Caller,
    context::Context,
    organisation::{Membership, Snapshot},
    problem::Problem,
    values,
};

/// The default relationship of viewers to the people of a scope.
const RELATIONSHIP: &str = "relationship";
/// How far people may say otherwise.
const OWNER_POLICY: &str = "owner_policy";

/// The most that a location administrator gives viewers by the default of a scope. The levels above let viewers act
/// for a person: system administrators give them, and people for themselves.
const DEFAULT_MAX: Relationship = Relationship::TeamColleague;

/// What holds of a scope for the viewers of its people.
type Visibility = (Relationship, OwnerPolicy);

/// Where a change of visibility was sent: the fields that a refusal names.
struct Fields {
    relationship: &'static str,
    policy: &'static str,
}

/// Refuses settings of a scope by which a location administrator, like any viewer, would act for the people of the
/// location, or by which these could no longer restrict viewers. What held already may stay.
pub(super) fn refuse_of_scope(
    context: &Context,
    caller: &Caller,
    (scope, page): (&str, SettingsGroup),
    after: Option<&SettingValues>,
) -> Result<(), Problem> {
    if caller.is_admin() || page != SettingsGroup::Presence {
        return Ok(());
    }
    let (before, after) = context.organisation.read(|tables| {
        let place = tables.membership_of_scope(scope).unwrap_or_default();
        let after = match after {
            Some(after) => said(page, after),
            None => tables.default_visibility(&above(&place)),
        };
        (tables.default_visibility(&place), after)
    });
    let fields = Fields {
        relationship: RELATIONSHIP,
        policy: OWNER_POLICY,
    };
    refuse_visibility(before, after, &fields)
}

/// Refuses a move of a person by a location administrator to where more holds than the administrator could set.
pub(super) fn refuse_of_place(
    context: &Context,
    caller: &Caller,
    person: PersonId,
    to: &Membership,
) -> Result<(), Problem> {
    if caller.is_admin() {
        return Ok(());
    }
    let visibility = |tables: &Snapshot| {
        let now = tables.default_visibility(&tables.membership(person));
        (now, tables.default_visibility(to))
    };
    let (before, after) = context.organisation.read(visibility);
    let fields = Fields {
        relationship: "group",
        policy: "group",
    };
    refuse_visibility(before, after, &fields)
}

/// Refuses values of a person's own that could never hold, and, of callers who may not change the person's forwarding,
/// profiles that forward calls. What was there already may stay.
pub(super) fn refuse_of_person(
    context: &Context,
    caller: &Caller,
    (person, page): (PersonId, SettingsGroup),
    before: Option<&SettingValues>,
    after: &SettingValues,
) -> Result<(), Problem> {
    let may_forward = caller
        .require(&context.organisation, person, Permission::ChangeForwarding)
        .is_ok();
    for setting in page.settings() {
        let value = after.values.get(setting.key);
        let was = before.and_then(|before| before.values.get(setting.key));
        let Some(value) = value.filter(|value| was != Some(value)) else {
            continue;
        };
        if setting.user_override == UserOverride::Never {
            let detail = "is for scopes alone, so that a person's own value would never hold; set it at PUT /api/v1/scopes/{scope}/settings/{page}";
            return Err(Problem::invalid(setting.key, detail));
        }
        if !may_forward && may_send_calls_away(context, person, setting, value) {
            let detail = format!(
                "{} may forward calls, and {} may not change where calls of this person go: name a profile without forwarding, or ask the person",
                values::json(value),
                caller.name
            );
            return Err(Problem::forbidden_field(setting.key, detail));
        }
    }
    Ok(())
}

/// Whether a value of the person's own names a profile that does, or may come to, send calls elsewhere or refuse them. A
/// name of no profile is harmless only where it is the product's own, which stands for a status.
fn may_send_calls_away(
    context: &Context,
    person: PersonId,
    setting: &Setting,
    value: &Value,
) -> bool {
    let Value::Profile(Some(name)) = value else {
        return false;
    };
    let profiles = context
        .organisation
        .read(|tables| tables.my_profiles(person));
    let mut known = profiles
        .iter()
        .filter(|profile| same_name(&profile.name, name))
        .peekable();
    match known.peek() {
        Some(_) => known.any(|profile| profile.forwarding != Forwarding::Off),
        None => *value != setting.default,
    }
}

/// The place whose settings hold where a scope has none of its own.
fn above(place: &Membership) -> Membership {
    match place.group {
        Some(_) => Membership {
            group: None,
            ..place.clone()
        },
        None => Membership::default(),
    }
}

/// What the settings of a scope say of visibility.
fn said(page: SettingsGroup, values: &SettingValues) -> Visibility {
    let value = |key: &str| page.setting(key).map(|setting| values.value(setting));
    let level = match value(RELATIONSHIP) {
        Some(Value::Level(level)) => *level,
        _ => Relationship::Unknown,
    };
    let policy = match value(OWNER_POLICY) {
        Some(Value::Policy(policy)) => *policy,
        _ => OwnerPolicy::default(),
    };
    (level, policy)
}

fn refuse_visibility(
    (level_before, policy_before): Visibility,
    (level, policy): Visibility,
    fields: &Fields,
) -> Result<(), Problem> {
    if level > level_before && level > DEFAULT_MAX {
        let detail = format!(
            "{level} lets every viewer act for these people; a location administrator gives at most {DEFAULT_MAX}: ask a system administrator, or the people themselves"
        );
        return Err(Problem::forbidden_field(fields.relationship, detail));
    }
    if (policy_before, policy) == (OwnerPolicy::ExtendAndRestrict, OwnerPolicy::ExtendOnly) {
        let detail = format!(
            "{} takes these people the right to restrict viewers; only a system administrator may do that: leave {}",
            policy.name(),
            policy_before.name()
        );
        return Err(Problem::forbidden_field(fields.policy, detail));
    }
    Ok(())
}
