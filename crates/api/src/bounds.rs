//! Settings that location administrators may not change although they administer the page: those by which viewers act for
//! people, those by which people lose control of their visibility, and those that forward a person's calls.

use presence::{
    Forwarding, OwnerPolicy, Permission, PersonId, Relationship, Setting, SettingValues,
    SettingsGroup, UserOverride, Value, same_name, setting_keys,
};
use runtime::{
    context::Context,
    organisation::{Membership, Snapshot},
    values,
};

use crate::{caller::Caller, problem::Problem};

/// The highest default relationship that a location administrator may set. Higher ones let viewers act for a person: system
/// administrators set them, and people for themselves.
const DEFAULT_MAX: Relationship = Relationship::TeamColleague;

/// Default relationship and owner policy of a scope.
type Visibility = (Relationship, OwnerPolicy);

/// The fields of the request that a refusal names.
struct Fields {
    relationship: &'static str,
    policy: &'static str,
}

/// Refuses settings of a scope by which a location administrator, like any viewer, could act for the people of the
/// location, or by which these people could no longer restrict viewers. Values that were in effect may stay.
pub(super) fn refuse_of_scope(
    context: &Context,
    caller: &Caller,
    (scope, page): (&str, SettingsGroup),
    after: Option<&SettingValues>,
) -> Result<(), Problem> {
    if caller.is_admin() || page != SettingsGroup::Presence {
        return Ok(());
    }
    let (before, after) = context.organisation.read(|snapshot| {
        let place = snapshot.membership_of_scope(scope).unwrap_or_default();
        let after = match after {
            Some(after) => (
                after.get(setting_keys::RELATIONSHIP),
                after.get(setting_keys::OWNER_POLICY),
            ),
            None => snapshot.default_visibility(&above(&place)),
        };
        (snapshot.default_visibility(&place), after)
    });
    let fields = Fields {
        relationship: setting_keys::RELATIONSHIP.name,
        policy: setting_keys::OWNER_POLICY.name,
    };
    refuse_visibility(before, after, &fields)
}

/// Refuses a location administrator's move of a person to a place with visibility that the administrator could not set.
pub(super) fn refuse_of_place(
    context: &Context,
    caller: &Caller,
    person: PersonId,
    to: &Membership,
) -> Result<(), Problem> {
    if caller.is_admin() {
        return Ok(());
    }
    let visibility = |snapshot: &Snapshot| {
        let now = snapshot.default_visibility(&snapshot.membership(person));
        (now, snapshot.default_visibility(to))
    };
    let (before, after) = context.organisation.read(visibility);
    let fields = Fields {
        relationship: "group",
        policy: "group",
    };
    refuse_visibility(before, after, &fields)
}

/// Refuses values of a person's own settings that could never take effect, and profiles with forwarding by callers who may
/// not change the person's forwarding. Values that were set may stay.
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

/// Whether a person's own value names a profile that forwards or refuses calls, or may later. An unknown name is harmless
/// only if it is the product's own name of a status.
fn may_send_calls_away(
    context: &Context,
    person: PersonId,
    setting: &Setting,
    value: &Value,
) -> bool {
    let Value::ProfileName(Some(name)) = value else {
        return false;
    };
    let profiles = context
        .organisation
        .read(|snapshot| snapshot.my_profiles(person));
    let mut known = profiles
        .iter()
        .filter(|profile| same_name(&profile.name, name))
        .peekable();
    match known.peek() {
        Some(_) => known.any(|profile| profile.forwarding != Forwarding::Off),
        None => *value != setting.default,
    }
}

/// The place from which a scope inherits settings.
fn above(place: &Membership) -> Membership {
    match place.group {
        Some(_) => Membership {
            group: None,
            ..place.clone()
        },
        None => Membership::default(),
    }
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
